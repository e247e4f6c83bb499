//! WebSocket APIs of `AWS::ApiGatewayV2::*`.

use std::collections::BTreeMap;

use super::authorizers::Authorizers;
use super::context::{Context, text, text_or};
use super::error::TemplateError;
use super::node::Cursor;
use super::raw_parts::{RawParts, check_route, read_auth};
use super::resource::Resource;
use super::websocket;
use crate::plan::{AuthorizerPlan, WebSocketPlan, WebSocketRoutePlan};

/// Reads the API of `resource` with its routes.
pub(crate) fn read(
    parts: &RawParts,
    context: &Context<'_>,
    resource: &Resource,
) -> Result<WebSocketPlan, TemplateError> {
    let at = resource.properties();
    let findings = context.findings;
    let stage = findings.or(None, parts.stage(context, &resource.id));
    let (stage, stage_variables) = match stage {
        Some(stage) => stage,
        None => {
            findings
                .remark(format!("{} has no stage in this template; it is served as /default", resource.id));
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
    let authorizers = parts.authorizers(context, &resource.id);
    for route in parts.all("Route") {
        let at = route.properties();
        if at.get("ApiId").is_none_or(|id| id.text() != Ok(&resource.id)) {
            continue;
        }
        let read = websocket_route(parts, context, &at, &resource.id);
        plan.routes.extend(findings.or(None, read));
        if text(&at, "RouteKey") == Ok(Some("$connect".to_owned())) {
            let read = connect_authorizer(&at, &authorizers);
            plan.authorizer = findings.or(Some(AuthorizerPlan::Unusable), read);
        }
    }
    Ok(plan)
}

fn websocket_route(
    parts: &RawParts,
    context: &Context<'_>,
    at: &Cursor<'_>,
    api: &str,
) -> Result<Option<(String, WebSocketRoutePlan)>, TemplateError> {
    check_route(context, at);
    let key = at.need("RouteKey")?;
    websocket::check_key(&key, key.text()?)?;
    let key = key.text()?.to_owned();
    let source = || format!("route {key} of {api}");
    let Some(integration) = parts.integration(context, at, &source)? else { return Ok(None) };
    let integration = integration.properties();
    let route = WebSocketRoutePlan {
        function: context.function(&integration.need("IntegrationUri")?)?,
        timeout: websocket::read_timeout(&integration, "TimeoutInMillis")?,
        replies: websocket::read_replies(at)?,
    };
    Ok(Some((key, route)))
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
