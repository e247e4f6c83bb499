//! What every reader of a resource needs: names, Globals, and where problems go.

use super::error::TemplateError;
use super::findings::Findings;
use super::globals::Globals;
use super::node::{Cursor, Node};
use super::resource::Resource;
use super::resource_types;
use super::scope::Scope;

/// One template while it is read.
pub(crate) struct Context<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) globals: &'a Globals,
    pub(crate) findings: &'a Findings,
}

impl Context<'_> {
    /// The resource at `at`, with its part of Globals, if its kind has one.
    pub(crate) fn resource(&self, id: &str, at: &Cursor<'_>, section: Option<&str>) -> Resource {
        Resource::read(self.scope, self.globals, (id, at), section)
    }

    /// The name of the function whose ARN, name or invocation URI is the text at `at`.
    pub(crate) fn function(&self, at: &Cursor<'_>) -> Result<String, TemplateError> {
        let text = at.text()?;
        let name = resource_types::function_name(text).filter(|name| self.scope.has_function(name));
        name.map(str::to_owned)
            .ok_or_else(|| at.error(format!("`{text}` is not the ARN of a function of this template")))
    }
}

impl Context<'_> {
    /// Notices something that invokes the function at `at`, if that names one, in a way that is not run here.
    pub(crate) fn other_trigger(&self, at: Option<&Cursor<'_>>, source: impl Into<String>) {
        let function = at.and_then(|at| self.function(at).ok());
        self.findings.other_trigger(function.unwrap_or_default(), source);
    }
}

/// The text of a property, or its default.
pub(crate) fn text_or(at: &Cursor<'_>, key: &str, default: &str) -> Result<String, TemplateError> {
    Ok(match at.get(key) {
        Some(value) => value.text()?.to_owned(),
        None => default.to_owned(),
    })
}

/// The text of a property, if there is one.
pub(crate) fn text(at: &Cursor<'_>, key: &str) -> Result<Option<String>, TemplateError> {
    at.get(key).map(|value| Ok(value.text()?.to_owned())).transpose()
}

/// The texts of a list, none if it is absent.
pub(crate) fn texts(at: &Cursor<'_>, key: &str) -> Result<Vec<String>, TemplateError> {
    at.get(key).map_or(Ok(Vec::new()), |list| list.texts())
}

/// A map of texts, empty if it is absent.
pub(crate) fn text_map(
    at: &Cursor<'_>,
    key: &str,
) -> Result<std::collections::BTreeMap<String, String>, TemplateError> {
    let Some(map) = at.get(key) else { return Ok(Default::default()) };
    map.entries()?.into_iter().map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}

/// An empty map, for events without properties.
pub(crate) const NOTHING: &Node = &Node::Null;
