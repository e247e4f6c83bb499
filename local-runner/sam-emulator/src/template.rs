//! A SAM template → [`Plan`]: the only module that knows YAML, intrinsics and resource types.
//!
//! What it does not support is an error that names the place in the template. Nothing is skipped without an
//! error, except the resource types in `resource_types` and the properties that the readers list as having
//! no effect on one machine.
//!
//! In the order of reading: `node` and `yaml` (the template as a tree), `parameters` and `scope`
//! (names), `intrinsics` (expressions), `resource_names`, `globals` and `resource` (one resource with
//! plain values), then a reader per kind: `function`, `events`, `http_api`, `websocket`.

mod error;
mod events;
mod function;
mod globals;
mod http_api;
mod intrinsics;
mod node;
mod parameters;
mod resource;
mod resource_names;
mod resource_types;
mod scope;
mod websocket;
mod yaml;

use std::collections::BTreeMap;

pub use self::error::TemplateError;
use self::globals::Globals;
use self::http_api::HttpApiBuilder;
use self::node::Cursor;
use self::resource::Resource;
use self::scope::Scope;
use self::websocket::WebSocketApiBuilder;
use crate::plan::{Account, Plan};

/// Reads a template.
///
/// `values` sets parameters, by their own name (`MongodbUri`) or as an environment variable (`MONGODB_URI`);
/// `AWS_REGION` in it sets the region. All other values are the template's defaults.
///
/// # Errors
/// YAML that cannot be parsed; a section, resource type, property or intrinsic that is not supported; a value
/// outside the range that AWS allows.
pub fn read(text: &str, values: &BTreeMap<String, String>) -> Result<Plan, TemplateError> {
    let root = yaml::parse(text)?;
    let template = Cursor::new(&root, "");
    check_sections(&template)?;
    let mut account = Account::default();
    if let Some(region) = values.get("AWS_REGION") {
        account.region.clone_from(region);
    }
    let mut scope = Scope::new(&root, &account, parameters::read(&root, values)?);
    scope.set_resources(resource_names::read(&scope, &root)?);
    let globals = Globals::read(&template)?;
    let mut plan = Reader { scope: &scope, globals: &globals }.plan(&template)?;
    check_websocket_functions(&plan)?;
    plan.account.clone_from(&account);
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
    // Outputs have no effect here: only a deployment reads them.
    "Outputs",
];

fn check_sections(template: &Cursor<'_>) -> Result<(), TemplateError> {
    template.only(&[SECTIONS])?;
    if let Some(transform) = template.get("Transform") {
        for item in transform.items()? {
            if item.text()? != "AWS::Serverless-2016-10-31" {
                return Err(item.error(format!("the transform {} is not supported", item.text()?)));
            }
        }
    }
    template.need("Resources")?;
    Ok(())
}

struct Reader<'a> {
    scope: &'a Scope<'a>,
    globals: &'a Globals,
}

impl Reader<'_> {
    fn plan(&self, template: &Cursor<'_>) -> Result<Plan, TemplateError> {
        let mut plan = Plan::default();
        let mut http = HttpApiBuilder::default();
        let mut websocket = WebSocketApiBuilder::default();
        for (id, at) in template.need("Resources")?.entries()? {
            if !intrinsics::is_created(self.scope, &at)? {
                continue;
            }
            let kind = at.need("Type")?;
            match kind.text()? {
                "AWS::Serverless::Function" => {
                    let resource = self.resource(id, &at, Some("Function"))?;
                    let function = function::read(self.scope, &resource)?;
                    events::read(self.scope, &resource, &function.name, &mut plan, &mut http)?;
                    if let Some(first) = plan.functions.insert(function.name.clone(), function) {
                        return Err(at.error(format!("the function name {} is already in use", first.name)));
                    }
                }
                "AWS::Serverless::HttpApi" => http.add(&self.resource(id, &at, Some("HttpApi"))?)?,
                "AWS::Serverless::WebSocketApi" => {
                    websocket.add(&self.resource(id, &at, Some("WebSocketApi"))?)?;
                }
                "AWS::ApiGatewayV2::RouteResponse" => {
                    websocket.add_response(&self.resource(id, &at, None)?)?;
                }
                other if resource_types::is_ignored(other) => {}
                other => return Err(kind.error(format!("the resource type {other} is not supported"))),
            }
        }
        plan.http = http.build(self.scope, self.globals)?;
        plan.websocket = websocket.build()?;
        Ok(plan)
    }

    fn resource(&self, id: &str, at: &Cursor<'_>, section: Option<&str>) -> Result<Resource, TemplateError> {
        Resource::read(self.scope, self.globals, (id, at), section)
    }
}

/// A WebSocket route names its function by ARN, which may be any text. Without this check a wrong name would
/// fail at the first message.
fn check_websocket_functions(plan: &Plan) -> Result<(), TemplateError> {
    for (key, route) in plan.websocket.iter().flat_map(|api| &api.routes) {
        if !plan.functions.contains_key(&route.function) {
            let what = format!(
                "the WebSocket route {key} invokes {}, which is not a function of this template",
                route.function
            );
            return Err(TemplateError::at("Resources", what));
        }
    }
    Ok(())
}
