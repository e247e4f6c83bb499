//! `AWS::Serverless::WebSocketApi` and `AWS::ApiGatewayV2::RouteResponse` → [`WebSocketPlan`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::resource_types;
use crate::plan::{WebSocketPlan, WebSocketRoutePlan};

const READ: &[&str] = &["Routes", "RouteSelectionExpression", "StageName"];

/// Properties that name, observe or throttle the API and do not change a message here.
const IGNORED: &[&str] = &[
    "AccessLogSettings",
    "ApiKeySelectionExpression",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "Tags",
];

/// Collects the API and the route responses, which may come in any order in the template.
#[derive(Default)]
pub(crate) struct WebSocketApiBuilder {
    /// The API's logical id and its plan.
    api: Option<(String, WebSocketPlan)>,
    /// Logical ids of the routes that have a `$default` response.
    responses: BTreeSet<String>,
}

impl WebSocketApiBuilder {
    /// Adds an API resource.
    pub(crate) fn add(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        at.only(&[READ, IGNORED])?;
        if let Some((first, _)) = &self.api {
            return Err(
                at.error(format!("a template can have one WebSocketApi, and {first} is already defined"))
            );
        }
        self.api = Some((resource.id.clone(), read_api(&at)?));
        Ok(())
    }

    /// Adds a route response. WebSocket APIs have no other key than `$default`.
    pub(crate) fn add_response(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        if at.need("RouteResponseKey")?.text()? == "$default" {
            self.responses.insert(at.need("RouteId")?.text()?.to_owned());
        }
        Ok(())
    }

    /// Joins the API and the responses. A route replies only if it has the selection expression and a
    /// RouteResponse exists for it (API Gateway guide, `apigateway-websocket-api-route-response`).
    pub(crate) fn build(self) -> Result<Option<WebSocketPlan>, TemplateError> {
        let Some((id, mut plan)) = self.api else { return Ok(None) };
        for (key, route) in &mut plan.routes {
            route.replies &= self.responses.contains(&resource_types::generated_route(&id, key));
        }
        Ok(Some(plan))
    }
}

fn read_api(at: &Cursor<'_>) -> Result<WebSocketPlan, TemplateError> {
    let stage = at.get("StageName");
    if let Some(stage) = stage.as_ref().filter(|stage| stage.text() == Ok("$default")) {
        return Err(stage.error("a WebSocket API cannot have the stage $default; choose another name"));
    }
    let routes = at.need("Routes")?.entries()?.into_iter();
    let routes: BTreeMap<String, WebSocketRoutePlan> =
        routes.map(|(key, route)| Ok((key.to_owned(), read_route(&route)?))).collect::<Result<_, _>>()?;
    Ok(WebSocketPlan {
        stage: stage.map_or(Ok("default"), |stage| stage.text())?.to_owned(),
        route_selection_expression: at.need("RouteSelectionExpression")?.text()?.to_owned(),
        routes,
    })
}

fn read_route(at: &Cursor<'_>) -> Result<WebSocketRoutePlan, TemplateError> {
    at.only(&[&["FunctionArn", "IntegrationTimeout", "RouteResponseSelectionExpression", "OperationName"]])?;
    let arn = at.need("FunctionArn")?;
    let function = arn.text()?.rsplit(':').next().unwrap_or_default().to_owned();
    let timeout = at.get("IntegrationTimeout").map_or(Ok(29_000), |value| value.number(50, 29_000))?;
    let replies = match at.get("RouteResponseSelectionExpression") {
        None => false,
        Some(expression) if expression.text()? == "$default" => true,
        Some(other) => return Err(other.error("the only supported expression is $default")),
    };
    Ok(WebSocketRoutePlan { function, timeout: Duration::from_millis(timeout), replies })
}
