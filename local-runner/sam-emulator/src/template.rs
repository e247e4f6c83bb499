//! A SAM template → [`Plan`]: the only place that knows YAML, intrinsics and resource types.
//! Whatever it does not know it refuses by name, with the path in the template; nothing is skipped silently
//! except the types and properties that [`known`] and the readers list as having no effect on one machine.

mod events;
mod function;
mod globals;
mod http_api;
mod intrinsics;
mod known;
mod node;
mod scope;
mod websocket;
mod yaml;

use std::collections::BTreeMap;

use self::node::{Cursor, Node};
use self::scope::Scope;
use crate::plan::{Account, Plan};

/// Why a template cannot be run: one line that names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", prefix(.path))]
pub struct TemplateError {
    /// `Resources.Orders.Properties.Timeout`, or `line 12` for YAML that cannot be read; may be empty.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

impl TemplateError {
    fn at(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

/// Reads a template.
///
/// `values` sets parameters, by their own name (`MongodbUri`) or the environment's (`MONGODB_URI`);
/// `AWS_REGION` in it sets the region. Everything else comes from the template's defaults.
///
/// # Errors
/// Broken YAML, an unknown section, resource type, property or intrinsic, or a value out of AWS's range.
pub fn read(text: &str, values: &BTreeMap<String, String>) -> Result<Plan, TemplateError> {
    let root = yaml::parse(text)?;
    let template = Cursor::new(&root, "");
    check_sections(&template)?;
    let mut account = Account::default();
    if let Some(region) = values.get("AWS_REGION") {
        account.region.clone_from(region);
    }
    let scope = Scope::read(&root, &account, values)?;
    let globals = globals::Globals::read(&template)?;
    let reader = Reader { scope: &scope, globals: &globals };
    let mut plan = reader.plan(&template)?;
    plan.account = account.clone();
    Ok(plan)
}

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Globals",
    "Resources",
    // Outputs are for the deployer; nothing here reads them.
    "Outputs",
];

fn check_sections(template: &Cursor<'_>) -> Result<(), TemplateError> {
    template.only(&[SECTIONS])?;
    if let Some(transform) = template.get("Transform") {
        for item in transform.items()? {
            if item.text()? != "AWS::Serverless-2016-10-31" {
                return Err(
                    item.refuse(format!("the local runner does not know the transform {}", item.text()?))
                );
            }
        }
    }
    template.need("Resources")?;
    Ok(())
}

/// What a reader of one resource needs.
struct Reader<'a> {
    scope: &'a Scope<'a>,
    globals: &'a globals::Globals,
}

/// One resource with its properties resolved and its Globals merged in.
struct Resource {
    id: String,
    path: String,
    properties: Node,
    metadata: Node,
}

impl Resource {
    fn properties(&self) -> Cursor<'_> {
        Cursor::new(&self.properties, format!("{}.Properties", self.path))
    }
}

impl Reader<'_> {
    fn plan(&self, template: &Cursor<'_>) -> Result<Plan, TemplateError> {
        let mut plan = Plan::default();
        let mut http = http_api::Apis::default();
        let mut sockets = websocket::Apis::default();
        for (id, at) in template.need("Resources")?.entries()? {
            if !self.scope.exists(&at)? {
                continue;
            }
            let kind = at.need("Type")?;
            match kind.text()? {
                "AWS::Serverless::Function" => {
                    let resource = self.resource(id, &at, Some("Function"))?;
                    let function = function::read(self.scope, &resource)?;
                    events::read(self.scope, &resource, &function.name, &mut plan, &mut http)?;
                    if let Some(twin) = plan.functions.insert(function.name.clone(), function) {
                        return Err(at.refuse(format!("a second function is named {}", twin.name)));
                    }
                }
                "AWS::Serverless::HttpApi" => http.add(&self.resource(id, &at, Some("HttpApi"))?)?,
                "AWS::Serverless::WebSocketApi" => {
                    sockets.add(&self.resource(id, &at, Some("WebSocketApi"))?)?;
                }
                "AWS::ApiGatewayV2::RouteResponse" => sockets.add_response(&self.resource(id, &at, None)?)?,
                other if known::is_ignored(other) => {}
                other => return Err(kind.refuse(format!("the local runner does not know {other}"))),
            }
        }
        plan.http = http.finish(self)?;
        plan.websocket = sockets.finish()?;
        check_targets(&plan)?;
        Ok(plan)
    }

    fn resource(&self, id: &str, at: &Cursor<'_>, global: Option<&str>) -> Result<Resource, TemplateError> {
        let raw = at.get("Properties").map_or(Node::Null, |properties| properties.node.clone());
        let merged = global.map_or(raw.clone(), |section| self.globals.merge(section, raw));
        let path = format!("{}.Properties", at.path);
        Ok(Resource {
            id: id.to_owned(),
            path: at.path.clone(),
            properties: intrinsics::resolve(self.scope, &Cursor::new(&merged, path))?,
            metadata: at.get("Metadata").map_or(Node::Null, |metadata| metadata.node.clone()),
        })
    }
}

/// Routes of the WebSocket API name functions by ARN; one that is not here would fail at the first message.
fn check_targets(plan: &Plan) -> Result<(), TemplateError> {
    for (key, route) in plan.websocket.iter().flat_map(|api| &api.routes) {
        if !plan.functions.contains_key(&route.function) {
            let what = format!("the route {key} names {}, which is no function here", route.function);
            return Err(TemplateError::at("Resources", what));
        }
    }
    Ok(())
}
