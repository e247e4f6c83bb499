//! First pass over the resources: the type of each and the value that `Ref` returns for it.

use std::collections::BTreeMap;

use super::error::TemplateError;
use super::intrinsics::{is_created, resolve};
use super::node::{Cursor, Node};
use super::resource_types;
use super::scope::{NamedResource, Scope};

/// Reads the names. They may use parameters, but not other resources: `scope` has none yet.
pub(crate) fn read(
    scope: &Scope<'_>,
    template: &Node,
) -> Result<BTreeMap<String, NamedResource>, TemplateError> {
    let mut names = BTreeMap::new();
    // SAM creates this API as soon as an HttpApi event names no other.
    names.insert("ServerlessHttpApi".to_owned(), named("AWS::Serverless::HttpApi", "ServerlessHttpApi"));
    let empty = Node::Null;
    let resources = Cursor::new(template.get("Resources").unwrap_or(&empty), "Resources");
    for (id, resource) in resources.entries()? {
        if !is_created(scope, &resource)? {
            continue;
        }
        let kind = resource.need("Type")?.text()?;
        let name_property = resource_types::name_property(kind);
        let given = name_property.and_then(|name| resource.get("Properties")?.get(name));
        let reference = match given {
            Some(name) => Cursor::new(&resolve(scope, &name)?, name.path).text()?.to_owned(),
            None => id.to_owned(),
        };
        for route in resource_types::generated_routes(kind, id, &resource) {
            names.insert(route.clone(), named("AWS::ApiGatewayV2::Route", &route));
        }
        names.insert(id.to_owned(), named(kind, &reference));
    }
    Ok(names)
}

fn named(kind: &str, reference: &str) -> NamedResource {
    NamedResource { kind: kind.to_owned(), reference: reference.to_owned() }
}
