//! One resource, ready to be read: Globals merged in, intrinsics resolved.

use super::error::TemplateError;
use super::globals::Globals;
use super::intrinsics;
use super::node::{Cursor, Node};
use super::scope::Scope;

/// A resource with plain values only; what has none is [`Node::Unknown`].
pub(crate) struct Resource {
    /// The logical id.
    pub(crate) id: String,
    /// `Resources.<id>`.
    pub(crate) path: String,
    pub(crate) metadata: Node,
    properties: Node,
}

impl Resource {
    /// Reads the resource at `at`; `section` names its part of Globals, if it has one.
    pub(crate) fn read(
        scope: &Scope<'_>,
        globals: &Globals,
        (id, at): (&str, &Cursor<'_>),
        section: Option<&str>,
    ) -> Self {
        let own = at.get("Properties").map_or(Node::Null, |properties| properties.node.clone());
        let merged = match section {
            Some(section) => globals.merge(section, own),
            None => own,
        };
        let path = format!("{}.Properties", at.path);
        Self {
            id: id.to_owned(),
            path: at.path.clone(),
            metadata: at.get("Metadata").map_or(Node::Null, |metadata| metadata.node.clone()),
            properties: intrinsics::resolve(scope, &Cursor::new(&merged, path)),
        }
    }

    pub(crate) fn properties(&self) -> Cursor<'_> {
        Cursor::new(&self.properties, format!("{}.Properties", self.path))
    }

    /// An error about the whole resource.
    pub(crate) fn error(&self, what: impl Into<String>) -> TemplateError {
        TemplateError::at(&self.path, what)
    }
}
