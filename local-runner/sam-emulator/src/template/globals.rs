//! `Globals`: defaults that SAM merges into every resource of a kind. Maps merge, lists append (the global
//! items first), anything else is replaced by the resource's own value.

use super::TemplateError;
use super::node::{Cursor, Node};

/// The sections that reach something the runner runs.
const READ: &[&str] = &["Function", "HttpApi", "WebSocketApi"];
/// Sections for resource types that the runner refuses or passes over anyway.
const IGNORED: &[&str] = &["Api", "SimpleTable", "StateMachine", "LayerVersion", "CapacityProvider"];

/// The `Globals` section, as written.
pub(crate) struct Globals {
    section: Node,
}

impl Globals {
    /// Takes the section out of the template.
    pub(crate) fn read(template: &Cursor<'_>) -> Result<Self, TemplateError> {
        let Some(section) = template.get("Globals") else { return Ok(Self { section: Node::Null }) };
        section.only(&[READ, IGNORED])?;
        Ok(Self { section: section.node.clone() })
    }

    /// A resource's properties with the defaults of its kind under them.
    pub(crate) fn merge(&self, kind: &str, own: Node) -> Node {
        match self.section.get(kind) {
            Some(defaults) => merge(defaults.clone(), own),
            None => own,
        }
    }
}

fn merge(global: Node, own: Node) -> Node {
    match (global, own) {
        (global, Node::Null) => global,
        (Node::Map(mut base), Node::Map(own)) if !is_intrinsic(&base) && !is_intrinsic(&own) => {
            for (key, value) in own {
                match base.iter().position(|(name, _)| *name == key) {
                    Some(index) => {
                        let default = std::mem::replace(&mut base[index].1, Node::Null);
                        base[index].1 = merge(default, value);
                    }
                    None => base.push((key, value)),
                }
            }
            Node::Map(base)
        }
        (Node::List(mut base), Node::List(own)) => {
            base.extend(own);
            Node::List(base)
        }
        (_, own) => own,
    }
}

/// `{"Ref": …}` and `{"Fn::…": …}` are values, not maps.
fn is_intrinsic(entries: &[(String, Node)]) -> bool {
    matches!(entries, [(name, _)] if name == "Ref" || name.starts_with("Fn::"))
}
