//! Intrinsic functions and conditions: a node that contains `Ref`, `Fn::Sub`, … → a node of plain values. An
//! expression without a value becomes [`Node::Unknown`].
//!
//! In the order of reading: `condition`, `text` (functions that make text) and `list` (those that make or
//! take lists).

mod condition;
mod list;
mod text;

pub(crate) use self::condition::is_created;
use super::error::TemplateError;
use super::files;
use super::node::{Cursor, Node};
use super::scope::Scope;

/// Resolves every intrinsic below `at` and removes the entries that become `AWS::NoValue`.
pub(crate) fn resolve(scope: &Scope<'_>, at: &Cursor<'_>) -> Node {
    try_resolve(scope, at).unwrap_or_else(|reason| Node::Unknown(Box::new(reason)))
}

/// Resolves an expression that must have a value. Parts of a list or map may still be unknown.
fn try_resolve(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<Node, TemplateError> {
    match at.node {
        Node::Null => Ok(Node::Null),
        Node::Text(text) => plain(text.clone(), at),
        Node::Unknown(reason) => Err((**reason).clone()),
        Node::List(_) => {
            let items = at.items()?.into_iter().map(|item| resolve(scope, &item));
            Ok(Node::List(items.filter(|item| *item != Node::Null).collect()))
        }
        Node::Map(_) => {
            let entries = at.entries()?;
            if let [(name, argument)] = entries.as_slice()
                && (name.starts_with("Fn::") || *name == "Ref")
            {
                return call(scope, name, argument);
            }
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                match resolve(scope, &value) {
                    Node::Null => {}
                    // `Fn::Transform` adds the content of a file to the map around it.
                    Node::Map(included) if key == "Fn::Transform" => map.extend(included),
                    value => map.push((key.to_owned(), value)),
                }
            }
            Ok(Node::Map(map))
        }
    }
}

/// Text, unless CloudFormation would replace it by a secret or a parameter that only the account has.
fn plain(text: String, at: &Cursor<'_>) -> Result<Node, TemplateError> {
    if text.contains("{{resolve:") {
        return Err(at.error(format!("the value of {text} is only known to AWS")));
    }
    Ok(Node::Text(text))
}

fn call(scope: &Scope<'_>, name: &str, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    match name {
        "Ref" => scope.reference(argument.text()?, &argument.path),
        "Fn::GetAtt" => text::get_att(scope, argument),
        "Fn::Sub" => plain(text::sub(scope, argument)?, argument),
        "Fn::Join" => plain(text::join(scope, argument)?, argument),
        "Fn::Base64" => text::base64(scope, argument),
        "Fn::ToJsonString" => text::to_json_string(scope, argument),
        "Fn::Split" => list::split(scope, argument),
        "Fn::Select" => list::select(scope, argument),
        "Fn::Length" => list::length(scope, argument),
        "Fn::GetAZs" => Ok(list::zones(scope)),
        "Fn::Cidr" => list::cidr(scope, argument),
        "Fn::FindInMap" => find_in_map(scope, argument),
        "Fn::If" => {
            let [name, yes, no] = arguments(argument, name)?;
            try_resolve(scope, if condition::named(scope, &name, 0)? { &yes } else { &no })
        }
        "Fn::Transform" => include(scope, argument),
        "Fn::ImportValue" => {
            let export = resolved_text(scope, argument).unwrap_or_default();
            Err(argument.error(format!("the export {export} of another stack has no value here")))
        }
        "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
            Err(argument.error(format!("{name} is allowed in the Conditions section only")))
        }
        other => Err(argument.error(format!("the function {other} is not supported"))),
    }
}

/// `Fn::FindInMap`, with the default value of `AWS::LanguageExtensions`.
fn find_in_map(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let items = argument.items()?;
    let (keys, options) = items.split_at(items.len().min(3));
    if keys.len() < 3 || options.len() > 1 {
        return Err(argument.error(format!("Fn::FindInMap takes 3 arguments, found {}", items.len())));
    }
    let keys: Vec<String> = keys.iter().map(|key| resolved_text(scope, key)).collect::<Result<_, _>>()?;
    let found = scope.mapping([&keys[0], &keys[1], &keys[2]], &argument.path);
    match options.first().and_then(|options| options.get("DefaultValue")) {
        Some(default) if found.is_err() => try_resolve(scope, &default),
        _ => found,
    }
}

/// `AWS::Include` of a file beside the template.
fn include(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let name = argument.need("Name")?;
    if name.text()? != "AWS::Include" {
        return Err(name.error(format!("the transform {} is not supported", name.text()?)));
    }
    let location = argument.need("Parameters")?.need("Location")?;
    let file = resolved_text(scope, &location)?;
    let content = files::read(scope.folder, &file).map_err(|what| location.error(what))?;
    try_resolve(scope, &Cursor::new(&content, file))
}

fn resolved_text(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<String, TemplateError> {
    Ok(Cursor::new(&try_resolve(scope, at)?, at.path.clone()).text()?.to_owned())
}

fn arguments<'a, const N: usize>(at: &Cursor<'a>, name: &str) -> Result<[Cursor<'a>; N], TemplateError> {
    let items = at.items()?;
    let count = items.len();
    items.try_into().map_err(|_| at.error(format!("{name} takes {N} arguments, found {count}")))
}
