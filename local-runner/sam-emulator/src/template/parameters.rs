//! `Parameters`: their values come from the command line, `samconfig.toml`, the env file, variables that the
//! application documents, or the template's defaults.

use std::collections::{BTreeMap, HashMap};

use super::error::TemplateError;
use super::findings::Findings;
use super::node::{Cursor, Node, join};

/// One declared parameter.
pub(crate) enum Parameter {
    /// Its value: text, or a list for the list types.
    Value(Node),
    /// It has no value here: no default, or one that only AWS could look up. This is an error only where the
    /// value is needed.
    Missing,
}

/// Reads the section. A value in `overrides`, under the parameter's own name or under
/// [`environment_name`], replaces the default.
pub(crate) fn read(
    template: &Node,
    overrides: &BTreeMap<String, String>,
    findings: &Findings,
) -> HashMap<String, Parameter> {
    let empty = Node::Null;
    let section = Cursor::new(template.get("Parameters").unwrap_or(&empty), "Parameters");
    let entries = findings.or(Vec::new(), section.entries()).into_iter();
    entries
        .map(|(name, at)| (name.to_owned(), findings.or(Parameter::Missing, read_one(name, &at, overrides))))
        .collect()
}

/// The error for a reference to [`Parameter::Missing`].
pub(crate) fn missing(name: &str) -> TemplateError {
    TemplateError::at(
        &join("Parameters", name),
        format!("no Default and no value: set it with --parameter-overrides {name}=VALUE"),
    )
}

fn read_one(
    name: &str,
    at: &Cursor<'_>,
    overrides: &BTreeMap<String, String>,
) -> Result<Parameter, TemplateError> {
    let kind = at.need("Type")?;
    let is_ssm = kind.text()?.starts_with("AWS::SSM::");
    let text = match overrides.get(name).or_else(|| overrides.get(&environment_name(name))) {
        Some(text) => text.clone(),
        // Its default is a name in Parameter Store, not the value.
        None if is_ssm => return Ok(Parameter::Missing),
        None => match at.node.get("Default") {
            Some(Node::Text(text)) => text.clone(),
            Some(Node::Null) => String::new(),
            _ => return Ok(Parameter::Missing),
        },
    };
    if let Some(allowed) = at.get("AllowedValues") {
        let allowed_values = allowed.texts()?;
        if !allowed_values.contains(&text) {
            let list = allowed_values.join(", ");
            return Err(allowed.error(format!("`{text}` is not an allowed value; use one of: {list}")));
        }
    }
    let kind = kind.text()?;
    let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<") || kind.contains("Value<List<");
    Ok(Parameter::Value(if is_list {
        Node::List(text.split(',').map(|item| Node::text(item.trim())).collect())
    } else {
        Node::Text(text)
    }))
}

/// `MongodbUri` → `MONGODB_URI`: the environment variable that sets a parameter.
fn environment_name(parameter: &str) -> String {
    let mut name = String::with_capacity(parameter.len() + 4);
    let mut previous_lower = false;
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() && previous_lower {
            name.push('_');
        }
        previous_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        name.push(letter.to_ascii_uppercase());
    }
    name
}
