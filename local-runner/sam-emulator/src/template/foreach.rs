//! `Fn::ForEach` of `AWS::LanguageExtensions`: entries of a map, repeated for every item of a list (CloudFormation
//! guide, `intrinsic-function-reference-foreach`).

use super::error::TemplateError;
use super::intrinsics;
use super::node::{Cursor, Node};
use super::scope::Scope;

/// Nodes that loops may make.
const MAX_NODES: usize = 100_000;

/// The tree with every loop unrolled.
pub(crate) fn expand(scope: &Scope<'_>, at: &Cursor<'_>) -> Result<Node, TemplateError> {
    Expansion { scope, nodes: 0 }.node(at)
}

struct Expansion<'a> {
    scope: &'a Scope<'a>,
    nodes: usize,
}

impl Expansion<'_> {
    fn node(&mut self, at: &Cursor<'_>) -> Result<Node, TemplateError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(at.error("Fn::ForEach makes too many entries"));
        }
        match at.node {
            Node::List(_) => {
                Ok(Node::List(at.items()?.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?))
            }
            Node::Map(_) => {
                let mut map = Vec::new();
                for (key, value) in at.entries()? {
                    match key.starts_with("Fn::ForEach") {
                        true => self.unroll(&value, &mut map)?,
                        false => map.push((key.to_owned(), self.node(&value)?)),
                    }
                }
                Ok(Node::Map(map))
            }
            other => Ok(other.clone()),
        }
    }

    /// `[Identifier, [items], {Key${Identifier}: value}]`.
    fn unroll(&mut self, at: &Cursor<'_>, map: &mut Vec<(String, Node)>) -> Result<(), TemplateError> {
        let items = at.items()?;
        let [identifier, collection, body] = items.as_slice() else {
            return Err(at.error("Fn::ForEach takes an identifier, a list and a map"));
        };
        let list = intrinsics::resolve(self.scope, collection);
        for value in Cursor::new(&list, collection.path.clone()).texts()? {
            let entry = substitute(body.node, identifier.text()?, &value);
            let Node::Map(entries) = self.node(&Cursor::new(&entry, body.path.clone()))? else {
                return Err(body.error("the body of Fn::ForEach must be a map"));
            };
            map.extend(entries);
        }
        Ok(())
    }
}

/// Replaces `${Identifier}`, `&{Identifier}` and `Ref: Identifier`.
fn substitute(node: &Node, identifier: &str, value: &str) -> Node {
    let text = |text: &str| {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text.replace(&format!("${{{identifier}}}"), value).replace(&format!("&{{{identifier}}}"), &plain)
    };
    match node {
        Node::Text(given) => Node::Text(text(given)),
        Node::List(items) => Node::List(items.iter().map(|it| substitute(it, identifier, value)).collect()),
        Node::Map(entries) => match entries.as_slice() {
            [(key, Node::Text(name))] if key == "Ref" && name == identifier => Node::text(value),
            all => Node::Map(all.iter().map(|(k, v)| (text(k), substitute(v, identifier, value))).collect()),
        },
        other => other.clone(),
    }
}
