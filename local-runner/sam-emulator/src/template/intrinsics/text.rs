//! `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`, `Fn::Base64` and `Fn::ToJsonString`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{arguments, resolve, resolved_text, try_resolve};
use crate::template::error::TemplateError;
use crate::template::node::{Cursor, Node};
use crate::template::scope::Scope;

pub(super) fn get_att(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let (name, attribute) = match argument.node {
        Node::Text(text) => text
            .split_once('.')
            .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
            .ok_or_else(|| argument.error(format!("expected Resource.Attribute, found `{text}`")))?,
        _ => {
            let items = argument.items()?;
            let [name, attribute @ ..] = items.as_slice() else {
                return Err(argument.error("Fn::GetAtt takes a resource and an attribute"));
            };
            let parts: Result<Vec<_>, _> = attribute.iter().map(|part| resolved_text(scope, part)).collect();
            (name.text()?.to_owned(), parts?.join("."))
        }
    };
    scope.attribute(&name, &attribute, &argument.path)
}

pub(super) fn sub(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<String, TemplateError> {
    let (text, variables) = match argument.node {
        Node::List(items) if items.len() == 1 => (argument.items()?.remove(0), None),
        Node::List(_) => {
            let [text, variables] = arguments(argument, "Fn::Sub")?;
            (text, Some(variables))
        }
        _ => (argument.clone(), None),
    };
    let variables = variables.map(|variables| resolve(scope, &variables));
    let mut out = String::new();
    let mut rest = text.text()?;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            return Err(text.error("a `${` has no closing `}`"));
        };
        match name.strip_prefix('!') {
            // `${!Literal}` is written as `${Literal}`.
            Some(literal) => out.extend(["${", literal, "}"]),
            None => out.push_str(&placeholder(scope, name.trim(), variables.as_ref(), &text)?),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of `${name}`: a variable of this `Fn::Sub`, an attribute, or a reference.
fn placeholder(
    scope: &Scope<'_>,
    name: &str,
    variables: Option<&Node>,
    at: &Cursor<'_>,
) -> Result<String, TemplateError> {
    let value = match variables.and_then(|variables| variables.get(name)) {
        Some(value) => value.clone(),
        None => match name.split_once('.') {
            Some(_) if scope.has_name(name) => scope.reference(name, &at.path)?,
            Some((resource, attribute)) => scope.attribute(resource, attribute, &at.path)?,
            None => scope.reference(name, &at.path)?,
        },
    };
    let path = format!("{}.${{{name}}}", at.path);
    match &value {
        // A list parameter.
        Node::List(_) => Ok(Cursor::new(&value, path).texts()?.join(",")),
        _ => Ok(Cursor::new(&value, path).text()?.to_owned()),
    }
}

pub(super) fn join(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<String, TemplateError> {
    let [separator, items] = arguments(argument, "Fn::Join")?;
    let list = try_resolve(scope, &items)?;
    let texts = Cursor::new(&list, items.path).texts()?;
    // An empty separator may be written without quotes.
    let separator = if *separator.node == Node::Null { "" } else { separator.text()? };
    Ok(texts.join(separator))
}

pub(super) fn base64(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    Ok(Node::Text(STANDARD.encode(resolved_text(scope, argument)?)))
}

pub(super) fn to_json_string(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let value = try_resolve(scope, argument)?;
    Ok(Node::Text(json(&Cursor::new(&value, argument.path.clone()))?.to_string()))
}

fn json(at: &Cursor<'_>) -> Result<Value, TemplateError> {
    Ok(match at.node {
        Node::Null => Value::Null,
        Node::List(_) => Value::Array(at.items()?.iter().map(json).collect::<Result<_, _>>()?),
        Node::Map(_) => {
            let entries = at.entries()?.into_iter();
            let entries = entries.map(|(key, value)| Ok((key.to_owned(), json(&value)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, TemplateError>>()?)
        }
        _ => Value::String(at.text()?.to_owned()),
    })
}
