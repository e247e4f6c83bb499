//! `AWS::ApiGatewayV2::*`: HTTP and WebSocket APIs whose routes, integrations, stages and authorizers are
//! resources of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::apis::ApiBuilder;
use super::authorizers::{self, Authorizers, IAM};
use super::context::{Context, text, text_map, text_or, texts};
use super::cors::read_cors;
use super::declared::{DeclaredApi, DeclaredRoute, RouteAuth};
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::{openapi, resource_types, route, websocket};
use crate::plan::{AuthorizerPlan, HttpApiKind, HttpApiPlan, WebSocketPlan, WebSocketRoutePlan};

/// Collects the resources, which may come in any order in the template.
#[derive(Default)]
pub(crate) struct RawApis {
    /// Resources by the last part of their type: `Api`, `Route`, …
    resources: BTreeMap<String, Vec<Resource>>,
    /// WebSocket APIs of SAM's own type.
    pub(crate) websockets: Vec<WebSocketPlan>,
}

impl RawApis {
    /// Adds a resource of the type `AWS::ApiGatewayV2::<part>`.
    pub(crate) fn add(&mut self, part: &str, resource: Resource) {
        self.resources.entry(part.to_owned()).or_default().push(resource);
    }

    fn all(&self, part: &str) -> &[Resource] {
        self.resources.get(part).map_or(&[], Vec::as_slice)
    }

    /// Joins the resources. HTTP APIs go to `apis`.
    pub(crate) fn build(mut self, context: &Context<'_>, apis: &mut ApiBuilder) -> Vec<WebSocketPlan> {
        let mut websockets = std::mem::take(&mut self.websockets);
        for resource in self.all("Api") {
            let at = resource.properties();
            check_api(context, &at);
            match context.findings.or(String::new(), text_or(&at, "ProtocolType", "HTTP")).as_str() {
                "WEBSOCKET" => {
                    websockets.extend(context.findings.ok(self.websocket(context, resource)));
                }
                _ => self.http(context, resource, apis),
            }
        }
        self.routes_of_other_apis(context, apis);
        let responses = self.responses(context);
        for api in &mut websockets {
            for (key, route) in &mut api.routes {
                // The logical id of the route: SAM's, or the one that `websocket` notes for its own.
                let generated = resource_types::generated_route(&api.id, key);
                let own = self.route_id(&api.id, key);
                route.replies &=
                    responses.contains(&generated) || own.is_some_and(|id| responses.contains(id));
            }
        }
        websockets
    }

    /// Logical ids of routes that have a `$default` response. WebSocket APIs have no other key.
    fn responses(&self, context: &Context<'_>) -> BTreeSet<String> {
        let read = |resource: &Resource| -> Result<Option<String>, TemplateError> {
            let at = resource.properties();
            let is_default = at.need("RouteResponseKey")?.text()? == "$default";
            Ok(is_default.then_some(at.need("RouteId")?.text()?.to_owned()))
        };
        let all = self.all("RouteResponse").iter();
        all.filter_map(|resource| context.findings.or(None, read(resource))).collect()
    }

    fn route_id(&self, api: &str, key: &str) -> Option<&str> {
        let is_route = |resource: &&Resource| {
            let at = resource.properties();
            text(&at, "ApiId") == Ok(Some(api.to_owned()))
                && text(&at, "RouteKey") == Ok(Some(key.to_owned()))
        };
        self.all("Route").iter().find(is_route).map(|resource| resource.id.as_str())
    }

    fn http(&self, context: &Context<'_>, resource: &Resource, apis: &mut ApiBuilder) {
        let (at, findings) = (resource.properties(), context.findings);
        let mut authorizers = self.authorizers(context, &resource.id);
        let cors = at.get("CorsConfiguration").map_or(Ok(None), |cors| read_cors(context, &cors));
        let mut plan =
            HttpApiPlan { id: resource.id.clone(), cors: findings.or(None, cors), ..HttpApiPlan::default() };
        if let Some(body) = at.get("Body") {
            let document = openapi::read(context, &body, (&resource.id, HttpApiKind::Http), &mut authorizers);
            plan.cors = plan.cors.or(document.cors);
            apis.add_routes(document.routes);
        }
        if let Some(target) = at.get("Target") {
            apis.add_routes(findings.ok(quick_route(context, &at, &target, &resource.id)));
        }
        let stage = findings.ok(self.stage(context, &resource.id)).flatten();
        let (stage, variables) = stage.unwrap_or_else(|| ("$default".to_owned(), BTreeMap::new()));
        (plan.stage, plan.stage_variables) = (stage, variables);
        apis.add_api(DeclaredApi { plan, authorizers });
    }

    /// Routes, of raw APIs and of those that SAM declares.
    fn routes_of_other_apis(&self, context: &Context<'_>, apis: &mut ApiBuilder) {
        for resource in self.all("Route") {
            let at = resource.properties();
            let api = at.need("ApiId").and_then(|id| Ok(id.text()?.to_owned()));
            let Some(api) = context.findings.ok(api) else { continue };
            if self.is_websocket(&api) {
                continue;
            }
            apis.add_routes(context.findings.or(None, self.http_route(context, resource, &api)));
        }
    }

    fn is_websocket(&self, api: &str) -> bool {
        let is_websocket = |resource: &Resource| {
            resource.id == api
                && text(&resource.properties(), "ProtocolType") == Ok(Some("WEBSOCKET".to_owned()))
        };
        self.all("Api").iter().any(is_websocket)
    }

    fn http_route(
        &self,
        context: &Context<'_>,
        resource: &Resource,
        api: &str,
    ) -> Result<Option<DeclaredRoute>, TemplateError> {
        let at = resource.properties();
        check_route(context, &at);
        let key = at.need("RouteKey")?;
        let (method, path) = match key.text()?.split_once(' ') {
            None if key.text() == Ok("$default") => ("ANY".to_owned(), "$default".to_owned()),
            Some((method, path)) => {
                let method =
                    route::method(method).ok_or_else(|| key.error(format!("`{method}` is no method")))?;
                (method, route::read_path(&key, path.trim())?)
            }
            None => return Err(key.error("expected `METHOD /path` or $default")),
        };
        let source = || format!("route {method} {path} of {api}");
        let Some(integration) = self.integration(context, &at, &source)? else { return Ok(None) };
        let integration = integration.properties();
        let function = context.function(&integration.need("IntegrationUri")?)?;
        let timeout = route::read_timeout(&integration, "TimeoutInMillis", HttpApiKind::Http)?;
        let format = route::read_format(&integration, "PayloadFormatVersion", "1.0")?;
        Ok(Some(DeclaredRoute {
            api: api.to_owned(),
            path: resource.path.clone(),
            plan: route::plan(&method, &path, &function, timeout, &format),
            auth: read_auth(&at)?,
            in_definition: false,
        }))
    }

    /// The integration of a route; `None` after noticing one that invokes no function through a proxy.
    fn integration(
        &self,
        context: &Context<'_>,
        at: &Cursor<'_>,
        source: &dyn Fn() -> String,
    ) -> Result<Option<&Resource>, TemplateError> {
        let Some(target) = at.get("Target") else {
            context.findings.other_trigger("", format!("{} (no integration)", source()));
            return Ok(None);
        };
        let id = target.text()?.trim_start_matches('/').trim_start_matches("integrations/");
        let found = self.all("Integration").iter().find(|resource| resource.id == id);
        let found =
            found.ok_or_else(|| target.error(format!("`{id}` is not an integration of this template")))?;
        let integration = found.properties();
        check_integration(context, &integration);
        let kind = text_or(&integration, "IntegrationType", "AWS_PROXY")?;
        if kind != "AWS_PROXY" || integration.get("IntegrationSubtype").is_some() {
            let kind = text(&integration, "IntegrationSubtype")?.unwrap_or(kind);
            context.findings.other_trigger("", format!("{} (integration {kind})", source()));
            return Ok(None);
        }
        Ok(Some(found))
    }

    fn websocket(&self, context: &Context<'_>, resource: &Resource) -> Result<WebSocketPlan, TemplateError> {
        let at = resource.properties();
        let findings = context.findings;
        let stage = findings.or(None, self.stage(context, &resource.id));
        let (stage, stage_variables) = match stage {
            Some(stage) => stage,
            None => {
                findings.remark(format!(
                    "{} has no stage in this template; it is served as /default",
                    resource.id
                ));
                ("default".to_owned(), BTreeMap::new())
            }
        };
        let mut plan = WebSocketPlan {
            id: resource.id.clone(),
            stage,
            route_selection_expression: findings
                .or(String::new(), text_or(&at, "RouteSelectionExpression", "$request.body.action")),
            routes: BTreeMap::new(),
            authorizer: None,
            stage_variables,
        };
        let authorizers = self.authorizers(context, &resource.id);
        for route in self.all("Route") {
            let at = route.properties();
            if at.get("ApiId").is_none_or(|id| id.text() != Ok(&resource.id)) {
                continue;
            }
            let read = self.websocket_route(context, &at, &resource.id);
            plan.routes.extend(findings.or(None, read));
            if text(&at, "RouteKey") == Ok(Some("$connect".to_owned())) {
                plan.authorizer = findings.or(None, connect_authorizer(&at, &authorizers));
            }
        }
        Ok(plan)
    }

    fn websocket_route(
        &self,
        context: &Context<'_>,
        at: &Cursor<'_>,
        api: &str,
    ) -> Result<Option<(String, WebSocketRoutePlan)>, TemplateError> {
        check_route(context, at);
        let key = at.need("RouteKey")?;
        websocket::check_key(&key, key.text()?)?;
        let key = key.text()?.to_owned();
        let source = || format!("route {key} of {api}");
        let Some(integration) = self.integration(context, at, &source)? else { return Ok(None) };
        let integration = integration.properties();
        let route = WebSocketRoutePlan {
            function: context.function(&integration.need("IntegrationUri")?)?,
            timeout: websocket::read_timeout(&integration, "TimeoutInMillis")?,
            replies: websocket::read_replies(at)?,
        };
        Ok(Some((key, route)))
    }

    /// The authorizers of one API, by logical id.
    fn authorizers(&self, context: &Context<'_>, api: &str) -> Authorizers {
        let mut all = Authorizers::default();
        all.by_name.insert(IAM.to_owned(), AuthorizerPlan::Iam);
        for resource in self.all("Authorizer") {
            let at = resource.properties();
            if at.get("ApiId").is_some_and(|id| id.text() == Ok(api)) {
                let read = context.findings.ok(authorizers::of_resource(context, &at));
                all.by_name.extend(read.map(|authorizer| (resource.id.clone(), authorizer)));
            }
        }
        all
    }

    /// Name and variables of the API's stage; further stages are noticed.
    fn stage(
        &self,
        context: &Context<'_>,
        api: &str,
    ) -> Result<Option<(String, BTreeMap<String, String>)>, TemplateError> {
        let mut found = None;
        for resource in self.all("Stage") {
            let at = resource.properties();
            if at.get("ApiId").is_none_or(|id| id.text() != Ok(api)) {
                continue;
            }
            let name = at.need("StageName")?.text()?.to_owned();
            match &found {
                None => found = Some((name, text_map(&at, "StageVariables")?)),
                Some((first, _)) => {
                    let text =
                        format!("{api} is served with its stage {first}; the stage {name} is not served");
                    context.findings.remark(text);
                }
            }
        }
        Ok(found)
    }
}

/// `Target` of an API: one route for everything, in format 2.0, or with `RouteKey` for that.
fn quick_route(
    context: &Context<'_>,
    at: &Cursor<'_>,
    target: &Cursor<'_>,
    api: &str,
) -> Result<DeclaredRoute, TemplateError> {
    let key = text_or(at, "RouteKey", "$default")?;
    let (method, path) = match key.split_once(' ') {
        None => ("ANY".to_owned(), "$default".to_owned()),
        Some((method, path)) => (
            route::method(method).ok_or_else(|| at.error(format!("`{method}` is no method")))?,
            route::read_path(at, path)?,
        ),
    };
    let timeout = route::read_timeout(at, "TimeoutInMillis", HttpApiKind::Http)?;
    Ok(DeclaredRoute {
        api: api.to_owned(),
        path: target.path.clone(),
        plan: route::plan(&method, &path, &context.function(target)?, timeout, "2.0"),
        auth: RouteAuth::default(),
        in_definition: true,
    })
}

/// `AuthorizationType`, `AuthorizerId` and `AuthorizationScopes` of a route.
fn read_auth(at: &Cursor<'_>) -> Result<RouteAuth, TemplateError> {
    let authorizer = match text_or(at, "AuthorizationType", "NONE")?.as_str() {
        "NONE" => "NONE".to_owned(),
        "AWS_IAM" => IAM.to_owned(),
        _ => at.need("AuthorizerId")?.text()?.to_owned(),
    };
    let scopes = texts(at, "AuthorizationScopes")?;
    Ok(RouteAuth { authorizer: Some(authorizer), scopes: Some(scopes) })
}

fn connect_authorizer(
    at: &Cursor<'_>,
    authorizers: &Authorizers,
) -> Result<Option<AuthorizerPlan>, TemplateError> {
    let name = read_auth(at)?.authorizer.filter(|name| name != "NONE");
    let Some(name) = name else { return Ok(None) };
    let found = authorizers.by_name.get(&name).cloned();
    let place = at.get("AuthorizerId").unwrap_or_else(|| at.clone());
    found.map(Some).ok_or_else(|| place.error(format!("`{name}` is not an authorizer of this API")))
}

fn check_api(context: &Context<'_>, at: &Cursor<'_>) {
    const READ: &[&str] =
        &["Body", "CorsConfiguration", "ProtocolType", "RouteKey", "RouteSelectionExpression", "Target"];
    const IGNORED: &[&str] = &[
        "ApiKeySelectionExpression",
        "BasePath",
        "CredentialsArn",
        "Description",
        "DisableExecuteApiEndpoint",
        "DisableSchemaValidation",
        "FailOnWarnings",
        "IpAddressType",
        "Name",
        "Tags",
        "Version",
    ];
    context.findings.only(at, READ, IGNORED);
}

fn check_route(context: &Context<'_>, at: &Cursor<'_>) {
    const READ: &[&str] = &[
        "ApiId",
        "AuthorizationScopes",
        "AuthorizationType",
        "AuthorizerId",
        "RouteKey",
        "RouteResponseSelectionExpression",
        "Target",
    ];
    const IGNORED: &[&str] = &[
        "ApiKeyRequired",
        "ModelSelectionExpression",
        "OperationName",
        "RequestModels",
        "RequestParameters",
    ];
    context.findings.only(at, READ, IGNORED);
}

fn check_integration(context: &Context<'_>, at: &Cursor<'_>) {
    const READ: &[&str] = &[
        "ApiId",
        "IntegrationSubtype",
        "IntegrationType",
        "IntegrationUri",
        "PayloadFormatVersion",
        "TimeoutInMillis",
    ];
    const IGNORED: &[&str] = &[
        "ConnectionId",
        "ConnectionType",
        "ContentHandlingStrategy",
        "CredentialsArn",
        "Description",
        "IntegrationMethod",
        "PassthroughBehavior",
        "RequestParameters",
        "RequestTemplates",
        "ResponseParameters",
        "TemplateSelectionExpression",
        "TlsConfig",
    ];
    context.findings.only(at, READ, IGNORED);
}
