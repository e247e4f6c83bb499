//! `Parameters`: their values come from the environment, the env file, or the template's defaults.

use std::collections::{BTreeMap, HashMap};

use super::error::TemplateError;
use super::node::{Cursor, Node, join};

/// One declared parameter.
pub(crate) enum Parameter {
    /// Its value: text, or a list for the list types.
    Value(Node),
    /// It has no value and no default. This is an error only when something refers to the parameter.
    Missing,
}

/// Reads the section. A value in `overrides`, under the parameter's own name or under
/// [`environment_name`], replaces the default.
pub(crate) fn read(
    template: &Node,
    overrides: &BTreeMap<String, String>,
) -> Result<HashMap<String, Parameter>, TemplateError> {
    let empty = Node::Null;
    let section = Cursor::new(template.get("Parameters").unwrap_or(&empty), "Parameters");
    section
        .entries()?
        .into_iter()
        .map(|(name, at)| Ok((name.to_owned(), read_one(name, &at, overrides)?)))
        .collect()
}

/// The error for a reference to [`Parameter::Missing`].
pub(crate) fn missing(name: &str) -> TemplateError {
    let variable = environment_name(name);
    TemplateError::at(
        &join("Parameters", name),
        format!("no Default and no value: set {variable} in the environment or in --env-file"),
    )
}

fn read_one(
    name: &str,
    at: &Cursor<'_>,
    overrides: &BTreeMap<String, String>,
) -> Result<Parameter, TemplateError> {
    let kind = at.need("Type")?;
    if kind.text()?.starts_with("AWS::SSM::") {
        return Err(kind.error("SSM parameters are not supported: there is no Parameter Store to read"));
    }
    let text = match overrides.get(name).or_else(|| overrides.get(&environment_name(name))) {
        Some(text) => text.clone(),
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
    let is_list = kind.text()? == "CommaDelimitedList" || kind.text()?.starts_with("List<");
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
