//! `AWS::Serverless::WebSocketApi` → [`WebSocketPlan`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::authorizers;
use super::context::{Context, text_map};
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use crate::plan::{AuthorizerPlan, WebSocketPlan, WebSocketRoutePlan};

const READ: &[&str] = &["Auth", "Routes", "RouteSelectionExpression", "StageName", "StageVariables"];

/// Properties that name, observe or throttle the API and do not change a message here.
const IGNORED: &[&str] = &[
    "AccessLogSettings",
    "ApiKeySelectionExpression",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "Domain",
    "IpAddressType",
    "Models",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "Tags",
];

/// Reads an API resource. `replies` of its routes only says that they have the selection expression.
pub(crate) fn read(context: &Context<'_>, resource: &Resource) -> Result<WebSocketPlan, TemplateError> {
    let at = resource.properties();
    let findings = context.findings;
    findings.only(&at, READ, IGNORED);
    let mut routes = BTreeMap::new();
    for (key, route) in at.need("Routes")?.entries()? {
        let route = findings.ok(check_key(&route, key).and_then(|()| read_route(context, &route)));
        routes.extend(route.map(|route| (key.to_owned(), route)));
    }
    let stage = at.get("StageName");
    if let Some(stage) = stage.as_ref() {
        findings.ok(check_stage(stage));
    }
    let auth = at.get("Auth").map_or(Ok(None), |auth| authorizers::of_websocket(context, &auth));
    Ok(WebSocketPlan {
        id: resource.id.clone(),
        stage: stage.map_or(Ok("default"), |stage| stage.text())?.to_owned(),
        route_selection_expression: at.need("RouteSelectionExpression")?.text()?.to_owned(),
        routes,
        authorizer: findings.or(Some(AuthorizerPlan::Unusable), auth),
        stage_variables: findings.or(BTreeMap::new(), text_map(&at, "StageVariables")),
    })
}

/// A WebSocket API has no stage `$default`.
pub(crate) fn check_stage(at: &Cursor<'_>) -> Result<(), TemplateError> {
    match at.text()? {
        "$default" => Err(at.error("a WebSocket API cannot have the stage $default; choose another name")),
        _ => Ok(()),
    }
}

/// Of the keys that begin with `$`, API Gateway knows three.
pub(crate) fn check_key(at: &Cursor<'_>, key: &str) -> Result<(), TemplateError> {
    match key.starts_with('$') && !["$connect", "$disconnect", "$default"].contains(&key) {
        true => Err(at.error(format!("`{key}` is not a route key: use $connect, $disconnect or $default"))),
        false => Ok(()),
    }
}

/// `RouteResponseSelectionExpression`: whether replies may be sent.
pub(crate) fn read_replies(at: &Cursor<'_>) -> Result<bool, TemplateError> {
    match at.get("RouteResponseSelectionExpression") {
        None => Ok(false),
        Some(expression) if expression.text()? == "$default" => Ok(true),
        Some(other) => Err(other.error("the only supported expression is $default")),
    }
}

/// The limit of an integration: 29 s, or less.
pub(crate) fn read_timeout(at: &Cursor<'_>, key: &str) -> Result<Duration, TemplateError> {
    Ok(Duration::from_millis(at.get(key).map_or(Ok(29_000), |value| value.number(50, 29_000))?))
}

/// Properties of a route that have no effect here, also of an `AWS::ApiGatewayV2::Route`.
pub(crate) const IGNORED_BY_ROUTES: &[&str] =
    &["ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels", "RequestParameters"];

fn read_route(context: &Context<'_>, at: &Cursor<'_>) -> Result<WebSocketRoutePlan, TemplateError> {
    const READ: &[&str] = &["FunctionArn", "IntegrationTimeout", "RouteResponseSelectionExpression"];
    context.findings.only(at, READ, IGNORED_BY_ROUTES);
    Ok(WebSocketRoutePlan {
        function: context.function(&at.need("FunctionArn")?)?,
        timeout: read_timeout(at, "IntegrationTimeout")?,
        replies: read_replies(at)?,
    })
}
