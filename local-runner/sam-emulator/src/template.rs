//! A SAM template → [`Plan`]: the only module that knows YAML, intrinsics and resource types.
//!
//! A reader goes on after a problem, so that all problems of a template are reported at once. Resource types and
//! properties without effect are ignored and reported, and so is every trigger that invokes a function on AWS
//! and not here.
//!
//! In the order of reading: `node`, `yaml` and `flow` (the template as a tree), `findings` (problems and
//! notices), `parameters` and `scope` (names), `intrinsics` and `foreach` (expressions), `resource_types` and
//! `resource_names`, `globals`, `resource` and `context` (one resource with plain values), then a reader per
//! kind: `function`, `events`, `queue`, `rules`, `function_url`, `websocket`; for APIs `route`, `cors`,
//! `authorizers`, `openapi`, `declared`, `sam_api`, `apis`, `raw_parts`, `raw_http`, `raw_websocket`,
//! `raw_apis`, `raw_rest`; and `other_triggers`.

mod apis;
mod authorizers;
mod context;
mod cors;
mod declared;
mod error;
mod events;
mod files;
mod findings;
mod flow;
mod foreach;
mod function;
mod function_url;
mod globals;
mod intrinsics;
mod node;
mod openapi;
mod other_triggers;
mod parameters;
mod queue;
mod raw_apis;
mod raw_http;
mod raw_parts;
mod raw_rest;
mod raw_websocket;
mod resource;
mod resource_names;
mod resource_types;
mod route;
mod rules;
mod sam_api;
mod scope;
mod websocket;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use self::apis::ApiBuilder;
use self::context::Context;
pub use self::error::{TemplateError, TemplateErrors};
use self::findings::Findings;
use self::globals::Globals;
use self::node::{Cursor, Node};
use self::raw_apis::RawApis;
use self::raw_rest::RawRestApis;
use self::scope::Scope;
use crate::plan::{Account, HttpApiKind, Plan};

/// A template and what it is read with.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The YAML or JSON.
    pub text: &'a str,
    /// The folder of the files that the template names; `None` when it may name none.
    pub folder: Option<&'a Path>,
    /// Values of parameters, by their own name (`MongodbUri`) or as an environment variable (`MONGODB_URI`).
    /// `AWS_REGION` sets the region. All other values are the template's defaults.
    pub values: &'a BTreeMap<String, String>,
}

/// Reads a template without files.
///
/// # Errors
/// All problems: YAML that cannot be parsed; a property that is unknown or has a value outside the range that
/// AWS allows; an expression whose value is needed and not known.
pub fn read(text: &str, values: &BTreeMap<String, String>) -> Result<Plan, TemplateErrors> {
    match load(Source { text, folder: None, values })? {
        (plan, problems) if problems.is_empty() => Ok(plan),
        (_, problems) => Err(TemplateErrors(problems)),
    }
}

/// Reads a template. Beside its problems it returns the plan of everything else.
///
/// # Errors
/// The YAML cannot be parsed.
pub fn load(source: Source<'_>) -> Result<(Plan, Vec<TemplateError>), TemplateError> {
    let document = yaml::parse(source.text)?;
    let findings = Findings::default();
    document.remarks.into_iter().for_each(|remark| findings.remark(remark));
    let root = document.root;
    let template = Cursor::new(&root, "");
    findings.ok(check_sections(&template, &findings));
    let mut account = Account::default();
    if let Some(region) = source.values.get("AWS_REGION") {
        account.region.clone_from(region);
    }
    let parameters = parameters::read(&root, source.values, &findings);
    let mut scope = Scope::new(&root, &account, source.folder, parameters);
    let empty = Node::Null;
    let resources = Cursor::new(root.get("Resources").unwrap_or(&empty), "Resources");
    let resources = findings.or(empty.clone(), foreach::expand(&scope, &resources));
    let resources = Cursor::new(&resources, "Resources");
    resource_names::read(&mut scope, &resources, &findings);
    let globals = Globals::read(&template, &findings);
    let context = Context { scope: &scope, globals: &globals, findings: &findings };
    let mut plan = Reader { context: &context, plan: Plan::default() }.plan(&resources);
    plan.account.clone_from(&account);
    let (problems, notices) = findings.finish();
    plan.notices = notices;
    Ok((plan, problems))
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
    // Outputs have no effect here: only a deployment reads them. Rules check a deployment's parameters.
    "Outputs",
    "Rules",
];

fn check_sections(template: &Cursor<'_>, findings: &Findings) -> Result<(), TemplateError> {
    const TRANSFORMS: &[&str] = &["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"];
    findings.only(template, SECTIONS, &["Hooks"]);
    template.need("Resources")?;
    if let Some(transform) = template.get("Transform") {
        for item in transform.items()? {
            if !TRANSFORMS.contains(&item.text()?) {
                findings.remark(format!("the transform {} is not applied", item.text()?));
            }
        }
    }
    Ok(())
}

struct Reader<'a> {
    context: &'a Context<'a>,
    plan: Plan,
}

/// Builders of APIs, which join resources that may come in any order.
#[derive(Default)]
struct Builders {
    apis: ApiBuilder,
    raw: RawApis,
    raw_rest: RawRestApis,
}

impl Reader<'_> {
    fn plan(mut self, resources: &Cursor<'_>) -> Plan {
        let findings = self.context.findings;
        let mut builders = Builders::default();
        for (id, at) in findings.or(Vec::new(), resources.entries()) {
            if findings.or(false, intrinsics::is_created(self.context.scope, &at)) {
                findings.ok(self.read(id, &at, &mut builders));
            }
        }
        builders.raw_rest.build(self.context, &mut builders.apis);
        self.plan.websocket = builders.raw.build(self.context, &mut builders.apis);
        self.plan.http = builders.apis.build(self.context);
        self.plan
    }

    fn read(&mut self, id: &str, at: &Cursor<'_>, builders: &mut Builders) -> Result<(), TemplateError> {
        let context = self.context;
        let kind = at.need("Type")?.text()?;
        let resource = |section| context.resource(id, at, section);
        match kind {
            "AWS::Serverless::Function" => self.function(&resource(Some("Function")), &mut builders.apis)?,
            "AWS::Lambda::Function" => self.function(&resource(None), &mut builders.apis)?,
            "AWS::Serverless::HttpApi" => {
                self.sam_api(&resource(Some("HttpApi")), HttpApiKind::Http, &mut builders.apis);
            }
            "AWS::Serverless::Api" => {
                self.sam_api(&resource(Some("Api")), HttpApiKind::Rest, &mut builders.apis);
            }
            "AWS::Serverless::WebSocketApi" => {
                builders.raw.websockets.push(websocket::read(context, &resource(Some("WebSocketApi")))?);
            }
            "AWS::Events::Rule" => rules::read_rule(context, &resource(None), &mut self.plan)?,
            "AWS::Scheduler::Schedule" => rules::read_schedule(context, &resource(None), &mut self.plan)?,
            "AWS::Lambda::EventSourceMapping" => {
                rules::read_mapping(context, &resource(None), &mut self.plan)?;
            }
            "AWS::Lambda::Url" => {
                let resource = resource(None);
                let at = resource.properties();
                let function = rules::url_target(context, &at)?;
                builders.apis.add_api(function_url::read(context, &at, (id, &function))?);
            }
            _ => match (kind.strip_prefix("AWS::ApiGatewayV2::"), kind.strip_prefix("AWS::ApiGateway::")) {
                (Some(part), _) if RAW.contains(&part) => builders.raw.parts.add(part, resource(None)),
                (_, Some(part)) if RAW_REST.contains(&part) => builders.raw_rest.add(part, resource(None)),
                _ => other_triggers::read(context, id, kind, at),
            },
        }
        Ok(())
    }

    fn function(
        &mut self,
        resource: &resource::Resource,
        apis: &mut ApiBuilder,
    ) -> Result<(), TemplateError> {
        let function = function::read(self.context, resource);
        events::read(self.context, resource, &function.name, &mut self.plan, apis);
        if let Some(url) = resource.properties().get("FunctionUrlConfig") {
            let url =
                function_url::read(self.context, &url, (&format!("{}Url", resource.id), &function.name));
            self.context.findings.ok(url).into_iter().for_each(|url| apis.add_api(url));
        }
        match self.plan.functions.insert(function.name.clone(), function) {
            Some(first) => Err(resource.error(format!("the function name {} is already in use", first.name))),
            None => Ok(()),
        }
    }

    fn sam_api(&mut self, resource: &resource::Resource, kind: HttpApiKind, apis: &mut ApiBuilder) {
        let (api, routes) = sam_api::read(self.context, resource, kind);
        apis.add_api(api);
        apis.add_routes(routes);
    }
}

/// Types of `AWS::ApiGatewayV2` that describe an API.
const RAW: &[&str] = &["Api", "Authorizer", "Integration", "Route", "RouteResponse", "Stage"];
/// Types of `AWS::ApiGateway` that describe an API.
const RAW_REST: &[&str] = &["Authorizer", "Deployment", "Method", "Resource", "RestApi", "Stage"];
