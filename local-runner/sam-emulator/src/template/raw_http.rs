//! HTTP APIs of `AWS::ApiGatewayV2::*`.

use std::collections::BTreeMap;

use super::apis::ApiBuilder;
use super::context::{Context, text_or};
use super::cors::read_cors;
use super::declared::{DeclaredApi, DeclaredRoute, RouteAuth};
use super::error::TemplateError;
use super::node::Cursor;
use super::raw_parts::{RawParts, check_route, read_auth};
use super::resource::Resource;
use super::{openapi, route};
use crate::plan::{HttpApiKind, HttpApiPlan};

/// Adds the API of `resource` to `apis`.
pub(crate) fn read(parts: &RawParts, context: &Context<'_>, resource: &Resource, apis: &mut ApiBuilder) {
    let (at, findings) = (resource.properties(), context.findings);
    let mut authorizers = parts.authorizers(context, &resource.id);
    let cors = at.get("CorsConfiguration").map_or(Ok(None), |cors| read_cors(context, &cors));
    let mut plan =
        HttpApiPlan { id: resource.id.clone(), cors: findings.or(None, cors), ..HttpApiPlan::default() };
    if let Some(body) = at.get("Body") {
        let document = openapi::read(context, &body, (&resource.id, HttpApiKind::Http), &mut authorizers);
        plan.cors = plan.cors.or(document.cors);
        apis.add_routes(document.routes);
    }
    if let Some(location) = at.get("BodyS3Location") {
        findings.problem(location.error("an OpenAPI document in S3 is not on this machine: use Body"));
    }
    if let Some(target) = at.get("Target") {
        apis.add_routes(findings.ok(quick_route(context, &at, &target, &resource.id)));
    }
    let stage = findings.ok(parts.stage(context, &resource.id)).flatten();
    let (stage, variables) = stage.unwrap_or_else(|| ("$default".to_owned(), BTreeMap::new()));
    (plan.stage, plan.stage_variables) = (stage, variables);
    apis.add_api(DeclaredApi { plan, authorizers });
}

/// A route of an HTTP API, of this kind or of SAM's; `None` after noticing one that invokes no function.
pub(crate) fn read_route(
    parts: &RawParts,
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
    let Some(integration) = parts.integration(context, &at, &source)? else { return Ok(None) };
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
