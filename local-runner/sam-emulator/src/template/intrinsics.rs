//! Intrinsic functions and conditions: a node that contains `Ref`, `Fn::Sub`, … → a node of plain values.
//! A function that is not listed here is an error.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::TemplateError;
use super::node::{Cursor, Node};
use super::scope::Scope;

/// A condition may use other conditions; a deeper chain than this is taken for a cycle.
const MAX_CONDITION_DEPTH: usize = 32;

/// Resolves every intrinsic below `at` and removes the entries that become `AWS::NoValue`.
pub(crate) fn resolve(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<Node, TemplateError> {
    match at.node {
        Node::Null | Node::Text(_) => Ok(at.node.clone()),
        Node::List(_) => {
            let items: Result<Vec<_>, _> = at.items()?.iter().map(|item| resolve(scope, item)).collect();
            Ok(Node::List(items?.into_iter().filter(|item| *item != Node::Null).collect()))
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
                match resolve(scope, &value)? {
                    Node::Null => {}
                    value => map.push((key.to_owned(), value)),
                }
            }
            Ok(Node::Map(map))
        }
    }
}

/// Whether a resource is created: it has no `Condition`, or its condition is true.
pub(crate) fn is_created(scope: &Scope<'_>, resource: &Cursor<'_>) -> Result<bool, TemplateError> {
    match resource.get("Condition") {
        Some(name) => condition(scope, &name, 0),
        None => Ok(true),
    }
}

/// The value of the condition that `name` names.
fn condition(scope: &Scope<'_>, name: &Cursor<'_>, depth: usize) -> Result<bool, TemplateError> {
    let expression = scope.condition(name.text()?, &name.path)?;
    // As in CloudFormation. It would also let a condition depend on itself, past the limit on depth.
    if has_fn_if(expression.node) {
        return Err(expression.error("Fn::If is not allowed in a condition; use Fn::And, Fn::Or and Fn::Not"));
    }
    is_true(scope, &expression, depth)
}

fn has_fn_if(node: &Node) -> bool {
    match node {
        Node::Null | Node::Text(_) => false,
        Node::List(items) => items.iter().any(has_fn_if),
        Node::Map(entries) => entries.iter().any(|(key, value)| key == "Fn::If" || has_fn_if(value)),
    }
}

/// The value of a condition function, or of `Condition: name`.
fn is_true(scope: &Scope<'_>, at: &Cursor<'_>, depth: usize) -> Result<bool, TemplateError> {
    if depth > MAX_CONDITION_DEPTH {
        return Err(at.error("this condition depends on itself"));
    }
    let entries = at.entries()?;
    let [(name, argument)] = entries.as_slice() else {
        return Err(at.error("expected one condition function"));
    };
    let operands = |argument: &Cursor<'_>| -> Result<Vec<bool>, TemplateError> {
        argument.items()?.iter().map(|item| is_true(scope, item, depth + 1)).collect()
    };
    match *name {
        "Condition" => condition(scope, argument, depth + 1),
        "Fn::And" => Ok(operands(argument)?.into_iter().all(|it| it)),
        "Fn::Or" => Ok(operands(argument)?.into_iter().any(|it| it)),
        "Fn::Not" => match operands(argument)?.as_slice() {
            [one] => Ok(!one),
            _ => Err(argument.error("Fn::Not takes one condition")),
        },
        "Fn::Equals" => {
            let [left, right] = arguments(argument, name)?;
            Ok(resolve(scope, &left)? == resolve(scope, &right)?)
        }
        other => Err(argument.error(format!("the condition function {other} is not supported"))),
    }
}

fn call(scope: &Scope<'_>, name: &str, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    match name {
        "Ref" => scope.reference(argument.text()?, &argument.path),
        "Fn::GetAtt" => get_att(scope, argument),
        "Fn::Sub" => sub(scope, argument),
        "Fn::Join" => join(scope, argument),
        "Fn::Split" => split(scope, argument),
        "Fn::Select" => select(scope, argument),
        "Fn::Base64" => Ok(Node::Text(STANDARD.encode(resolved_text(scope, argument)?))),
        "Fn::FindInMap" => {
            let keys = arguments::<3>(argument, name)?;
            let keys: Vec<String> =
                keys.iter().map(|key| resolved_text(scope, key)).collect::<Result<_, _>>()?;
            scope.mapping([&keys[0], &keys[1], &keys[2]], &argument.path)
        }
        "Fn::If" => {
            let [name, yes, no] = arguments(argument, name)?;
            resolve(scope, if condition(scope, &name, 0)? { &yes } else { &no })
        }
        "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
            Err(argument.error(format!("{name} is allowed in the Conditions section only")))
        }
        other => Err(argument.error(format!("the function {other} is not supported"))),
    }
}

fn get_att(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let (name, attribute) = match argument.node {
        Node::Text(text) => text
            .split_once('.')
            .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
            .ok_or_else(|| argument.error(format!("expected Resource.Attribute, found `{text}`")))?,
        _ => {
            let [name, attribute] = arguments(argument, "Fn::GetAtt")?;
            (name.text()?.to_owned(), resolved_text(scope, &attribute)?)
        }
    };
    scope.attribute(&name, &attribute, &argument.path)
}

fn sub(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let (text, variables) = match argument.node {
        Node::List(_) => {
            let [text, variables] = arguments(argument, "Fn::Sub")?;
            (text, Some(variables))
        }
        _ => (argument.clone(), None),
    };
    let variables = variables.map(|variables| resolve(scope, &variables)).transpose()?;
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
    Ok(Node::Text(out))
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
            Some((resource, attribute)) => scope.attribute(resource, attribute, &at.path)?,
            None => scope.reference(name, &at.path)?,
        },
    };
    Ok(Cursor::new(&value, format!("{}.${{{name}}}", at.path)).text()?.to_owned())
}

fn join(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let [separator, items] = arguments(argument, "Fn::Join")?;
    let list = resolve(scope, &items)?;
    let texts = Cursor::new(&list, items.path).texts()?;
    Ok(Node::Text(texts.join(separator.text()?)))
}

fn split(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let [separator, text] = arguments(argument, "Fn::Split")?;
    let separator = separator.text()?;
    if separator.is_empty() {
        return Err(argument.error("Fn::Split needs a delimiter that is not empty"));
    }
    let text = resolved_text(scope, &text)?;
    Ok(Node::List(text.split(separator).map(Node::text).collect()))
}

fn select(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let [index, items] = arguments(argument, "Fn::Select")?;
    let index = Cursor::new(&resolve(scope, &index)?, index.path.clone()).number(0, u64::from(u32::MAX))?;
    let list = resolve(scope, &items)?;
    let items = Cursor::new(&list, items.path).items()?;
    let item = items.get(index as usize);
    item.map(|item| item.node.clone()).ok_or_else(|| {
        argument
            .error(format!("there is no item {index}: the list has {} items, the first is 0", items.len()))
    })
}

fn resolved_text(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<String, TemplateError> {
    Ok(Cursor::new(&resolve(scope, at)?, at.path.clone()).text()?.to_owned())
}

fn arguments<'a, const N: usize>(at: &Cursor<'a>, name: &str) -> Result<[Cursor<'a>; N], TemplateError> {
    let items = at.items()?;
    let count = items.len();
    items.try_into().map_err(|_| at.error(format!("{name} takes {N} arguments, found {count}")))
}
