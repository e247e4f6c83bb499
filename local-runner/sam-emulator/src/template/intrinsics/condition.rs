//! Conditions: whether a resource is created, and which branch `Fn::If` takes.

use super::{arguments, try_resolve};
use crate::template::error::TemplateError;
use crate::template::node::{Cursor, Node};
use crate::template::scope::Scope;

/// A condition may use other conditions; a deeper chain than this is taken for a cycle.
const MAX_DEPTH: usize = 32;

/// Whether a resource is created: it has no `Condition`, or its condition is true.
pub(crate) fn is_created(scope: &Scope<'_>, resource: &Cursor<'_>) -> Result<bool, TemplateError> {
    match resource.get("Condition") {
        Some(name) => named(scope, &name, 0),
        None => Ok(true),
    }
}

/// The value of the condition that `name` names.
pub(super) fn named(scope: &Scope<'_>, name: &Cursor<'_>, depth: usize) -> Result<bool, TemplateError> {
    let expression = scope.condition(name.text()?, &name.path)?;
    // As in CloudFormation. It would also let a condition depend on itself, past the limit on depth.
    if has_fn_if(expression.node) {
        return Err(expression.error("Fn::If is not allowed in a condition; use Fn::And, Fn::Or and Fn::Not"));
    }
    is_true(scope, &expression, depth)
}

fn has_fn_if(node: &Node) -> bool {
    match node {
        Node::Null | Node::Text(_) | Node::Unknown(_) => false,
        Node::List(items) => items.iter().any(has_fn_if),
        Node::Map(entries) => entries.iter().any(|(key, value)| key == "Fn::If" || has_fn_if(value)),
    }
}

/// The value of a condition function, or of `Condition: name`.
fn is_true(scope: &Scope<'_>, at: &Cursor<'_>, depth: usize) -> Result<bool, TemplateError> {
    if depth > MAX_DEPTH {
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
        "Condition" => named(scope, argument, depth + 1),
        "Fn::And" => Ok(operands(argument)?.into_iter().all(|it| it)),
        "Fn::Or" => Ok(operands(argument)?.into_iter().any(|it| it)),
        "Fn::Not" => match operands(argument)?.as_slice() {
            [one] => Ok(!one),
            _ => Err(argument.error("Fn::Not takes one condition")),
        },
        "Fn::Equals" => {
            let [left, right] = arguments(argument, name)?;
            Ok(text_of(try_resolve(scope, &left)?) == text_of(try_resolve(scope, &right)?))
        }
        other => Err(argument.error(format!("the condition function {other} is not supported"))),
    }
}

/// An empty value equals empty text, as in CloudFormation.
fn text_of(node: Node) -> Node {
    if node == Node::Null { Node::text("") } else { node }
}
