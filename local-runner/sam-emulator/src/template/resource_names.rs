//! First pass over the resources: the type of each and the value that `Ref` returns for it.

use super::findings::Findings;
use super::intrinsics::{is_created, resolve};
use super::node::{Cursor, Node};
use super::resource_types;
use super::scope::{NamedResource, Scope};

/// Adds the names of all resources to `scope`. A name may use parameters and other resources' names, so names
/// are read again until nothing changes.
pub(crate) fn read(scope: &mut Scope<'_>, resources: &Cursor<'_>, findings: &Findings) {
    // SAM creates these APIs as soon as an event names no other.
    for (id, kind) in
        [("ServerlessHttpApi", "AWS::Serverless::HttpApi"), ("ServerlessRestApi", "AWS::Serverless::Api")]
    {
        add(scope, id, kind, Node::text(id), id);
    }
    let entries = findings.or(Vec::new(), resources.entries());
    let mut waiting = Vec::new();
    for (id, resource) in &entries {
        // The second pass tells the problem of a wrong condition or a missing type.
        let Some(kind) = resource.get("Type").and_then(|kind| kind.text().ok()) else { continue };
        if is_created(scope, resource).unwrap_or(false) {
            for route in resource_types::generated_routes(kind, id, resource) {
                add(scope, &route, "AWS::ApiGatewayV2::Route", Node::text(&route), &route);
            }
            match resource_types::name_property(kind).and_then(|name| resource.get("Properties")?.get(name)) {
                Some(name) => waiting.push((*id, kind, name)),
                None => add_named(scope, id, kind, id, resource),
            }
        }
    }
    while let Some(at) = waiting.iter().position(|(.., name)| is_known(&resolve(scope, name))) {
        let (id, kind, name) = waiting.remove(at);
        if let Node::Text(name) = resolve(scope, &name) {
            let resource = Cursor::new(resources.node, "Resources").get(id);
            resource.iter().for_each(|resource| add_named(scope, id, kind, &name, resource));
        }
    }
    // Names that need what is not known: an error for who uses them.
    for (id, kind, name) in waiting {
        let reference = resolve(scope, &name);
        add(scope, id, kind, reference, id);
    }
}

fn is_known(node: &Node) -> bool {
    matches!(node, Node::Text(_))
}

/// Adds a resource whose name is known, and the names that SAM gives to what it generates.
fn add_named(scope: &mut Scope<'_>, id: &str, kind: &str, name: &str, resource: &Cursor<'_>) {
    let mut reference = resource_types::reference(scope.account, kind, name);
    if let "AWS::Lambda::Alias" | "AWS::Lambda::Version" = kind {
        reference = qualified_function(scope, resource).unwrap_or(reference);
    }
    if let Some(section) = resource_types::stage_of(kind) {
        let stage = resource.get("Properties").and_then(|properties| properties.get(section));
        let stage = stage.map(|stage| resolve(scope, &stage));
        let stage = stage.unwrap_or_else(|| Node::text(resource_types::default_stage(kind)));
        add(scope, &format!("{id}.Stage"), "AWS::ApiGateway::Stage", stage, "Stage");
    }
    if kind == "AWS::AmazonMQ::Broker" {
        let engine = resource.get("Properties").and_then(|properties| properties.get("EngineType"));
        if let Some(Node::Text(engine)) = engine.map(|engine| resolve(scope, &engine)) {
            // `Ref` returns the broker's id, which is the same for every broker here.
            scope.add_engine(name, &engine);
            scope.add_engine(&reference, &engine);
        }
    }
    if kind == "AWS::Serverless::Function" {
        for generated in ["Alias", "Version"] {
            let arn = Node::Text(scope.account.function_arn(name));
            add(scope, &format!("{id}.{generated}"), "AWS::Lambda::Alias", arn, name);
        }
        add_alias(scope, id, name, resource);
    }
    add(scope, id, kind, Node::Text(reference), name);
}

/// `AutoPublishAlias: live` generates the resource `<function>Aliaslive`.
fn add_alias(scope: &mut Scope<'_>, id: &str, function: &str, resource: &Cursor<'_>) {
    let alias = resource.get("Properties").and_then(|properties| properties.get("AutoPublishAlias"));
    if let Some(Node::Text(alias)) = alias.map(|alias| resolve(scope, &alias)) {
        let arn = format!("{}:{alias}", scope.account.function_arn(function));
        add(scope, &format!("{id}Alias{alias}"), "AWS::Lambda::Alias", Node::Text(arn), function);
    }
}

/// The ARN of an alias or a version: that of its function, with a qualifier.
fn qualified_function(scope: &Scope<'_>, resource: &Cursor<'_>) -> Option<String> {
    let properties = resource.get("Properties")?;
    let text = |key: &str| match resolve(scope, &properties.get(key)?) {
        Node::Text(text) => Some(text),
        _ => None,
    };
    let function = resource_types::function_name(&text("FunctionName")?)?.to_owned();
    let qualifier = text("Name").unwrap_or_else(|| "1".to_owned());
    Some(format!("{}:{qualifier}", scope.account.function_arn(&function)))
}

fn add(scope: &mut Scope<'_>, id: &str, kind: &str, reference: Node, name: &str) {
    let resource = NamedResource { kind: kind.to_owned(), reference, name: name.to_owned() };
    scope.add_resource(id, resource);
}
