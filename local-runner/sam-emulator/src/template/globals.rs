//! `Globals`: defaults that SAM merges into every resource of a kind. Maps merge, lists append (the global
//! items first), and any other value of the resource replaces the global one.

use super::findings::Findings;
use super::node::{Cursor, Node};

/// Sections for resource types that the emulator runs.
const READ: &[&str] = &["Function", "HttpApi", "Api", "WebSocketApi"];
/// Sections for resource types that the emulator does not run.
const IGNORED: &[&str] = &["SimpleTable", "StateMachine", "LayerVersion", "CapacityProvider"];

/// The `Globals` section, intrinsics not yet resolved.
pub(crate) struct Globals {
    section: Node,
}

impl Globals {
    pub(crate) fn read(template: &Cursor<'_>, findings: &Findings) -> Self {
        let Some(section) = template.get("Globals") else { return Self { section: Node::Null } };
        findings.only(&section, READ, IGNORED);
        Self { section: section.node.clone() }
    }

    /// The properties `own` of a resource, completed by the defaults of its section.
    pub(crate) fn merge(&self, section: &str, own: Node) -> Node {
        match self.section.get(section) {
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
