//! Intrinsic functions: a node with `Ref`, `Fn::Sub`, … in it → a node of plain values.
//! What is not listed here is refused by its name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::TemplateError;
use super::node::{Cursor, Node};
use super::scope::Scope;

/// Conditions may name conditions; this deep is a circle.
const MAX_CONDITIONS: usize = 32;

/// Resolves every intrinsic below `at`; what becomes `AWS::NoValue` disappears.
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

/// The value of a condition function, or of `Condition: name`.
pub(crate) fn truth(scope: &Scope<'_>, at: &Cursor<'_>, depth: usize) -> Result<bool, TemplateError> {
    if depth > MAX_CONDITIONS {
        return Err(at.refuse("conditions go in a circle"));
    }
    let entries = at.entries()?;
    let [(name, argument)] = entries.as_slice() else {
        return Err(at.refuse("expected one condition function"));
    };
    let operands = |argument: &Cursor<'_>| -> Result<Vec<bool>, TemplateError> {
        argument.items()?.iter().map(|item| truth(scope, item, depth + 1)).collect()
    };
    match *name {
        "Condition" => scope.condition(argument.text()?, &argument.path, depth + 1),
        "Fn::And" => Ok(operands(argument)?.into_iter().all(|it| it)),
        "Fn::Or" => Ok(operands(argument)?.into_iter().any(|it| it)),
        "Fn::Not" => match operands(argument)?.as_slice() {
            [one] => Ok(!one),
            _ => Err(argument.refuse("Fn::Not takes one condition")),
        },
        "Fn::Equals" => {
            let [left, right] = arguments(argument, name)?;
            Ok(resolve(scope, &left)? == resolve(scope, &right)?)
        }
        other => Err(argument.refuse(format!("the local runner does not know the condition {other}"))),
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
            let [condition, yes, no] = arguments(argument, name)?;
            let holds = scope.condition(condition.text()?, &condition.path, 0)?;
            resolve(scope, if holds { &yes } else { &no })
        }
        "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
            Err(argument.refuse(format!("{name} belongs under Conditions")))
        }
        other => Err(argument.refuse(format!("the local runner does not know {other}"))),
    }
}

fn get_att(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let (name, attribute) = match argument.node {
        Node::Text(text) => text
            .split_once('.')
            .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
            .ok_or_else(|| argument.refuse("expected Resource.Attribute"))?,
        _ => {
            let [name, attribute] = arguments(argument, "Fn::GetAtt")?;
            (name.text()?.to_owned(), resolved_text(scope, &attribute)?)
        }
    };
    scope.attribute(&name, &attribute, &argument.path)
}

fn sub(scope: &Scope<'_>, argument: &Cursor<'_>) -> Result<Node, TemplateError> {
    let (text, own) = match argument.node {
        Node::List(_) => {
            let [text, own] = arguments(argument, "Fn::Sub")?;
            (text, Some(own))
        }
        _ => (argument.clone(), None),
    };
    let own = own.map(|own| resolve(scope, &own)).transpose()?;
    let mut out = String::new();
    let mut rest = text.text()?;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            return Err(text.refuse("`${` without `}`"));
        };
        match name.strip_prefix('!') {
            // `${!Literal}` stands for `${Literal}`.
            Some(literal) => out.extend(["${", literal, "}"]),
            None => out.push_str(&placeholder(scope, name.trim(), own.as_ref(), &text)?),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(Node::Text(out))
}

fn placeholder(
    scope: &Scope<'_>,
    name: &str,
    own: Option<&Node>,
    at: &Cursor<'_>,
) -> Result<String, TemplateError> {
    let value = match own.and_then(|own| own.get(name)) {
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
        return Err(argument.refuse("Fn::Split needs a delimiter"));
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
    item.map(|item| item.node.clone()).ok_or_else(|| argument.refuse(format!("the list has no item {index}")))
}

fn resolved_text(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<String, TemplateError> {
    Ok(Cursor::new(&resolve(scope, at)?, at.path.clone()).text()?.to_owned())
}

fn arguments<'a, const N: usize>(at: &Cursor<'a>, name: &str) -> Result<[Cursor<'a>; N], TemplateError> {
    let items = at.items()?;
    let count = items.len();
    items.try_into().map_err(|_| at.refuse(format!("{name} takes {N} arguments, found {count}")))
}
