//! `AWS::Serverless::WebSocketApi` and `AWS::ApiGatewayV2::RouteResponse` → [`WebSocketPlan`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::node::Cursor;
use super::{Resource, TemplateError, known};
use crate::plan::{WebSocketPlan, WebSocketRoutePlan};

const READ: &[&str] = &["Routes", "RouteSelectionExpression", "StageName"];

/// What names, observes or throttles the API and does not change a message here.
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

/// Collects the API and the route responses while the resources are read, in whatever order they come.
#[derive(Default)]
pub(crate) struct Apis {
    api: Option<(String, WebSocketPlan)>,
    /// Logical ids of the routes that have a `$default` response.
    responses: BTreeSet<String>,
}

impl Apis {
    /// Takes in an API resource.
    pub(crate) fn add(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        at.only(&[READ, IGNORED])?;
        if let Some((first, _)) = &self.api {
            return Err(at.refuse(format!("the local runner serves one WebSocketApi, and {first} is it")));
        }
        self.api = Some((resource.id.clone(), read_api(&at)?));
        Ok(())
    }

    /// Takes in a route response; only the key `$default` exists for WebSocket APIs.
    pub(crate) fn add_response(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        if at.need("RouteResponseKey")?.text()? == "$default" {
            self.responses.insert(at.need("RouteId")?.text()?.to_owned());
        }
        Ok(())
    }

    /// Joins API and responses. A route replies only where the template asks for it twice: the selection
    /// expression on the route, and a RouteResponse of its own (contract §4.3).
    pub(crate) fn finish(self) -> Result<Option<WebSocketPlan>, TemplateError> {
        let Some((id, mut plan)) = self.api else { return Ok(None) };
        for (key, route) in &mut plan.routes {
            route.replies &= self.responses.contains(&known::generated_route(&id, key));
        }
        Ok(Some(plan))
    }
}

fn read_api(at: &Cursor<'_>) -> Result<WebSocketPlan, TemplateError> {
    let stage = at.get("StageName");
    if let Some(stage) = stage.as_ref().filter(|stage| stage.text() == Ok("$default")) {
        return Err(stage.refuse("a WebSocket API has no $default stage"));
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
        Some(other) => return Err(other.refuse("only $default exists")),
    };
    Ok(WebSocketRoutePlan { function, timeout: Duration::from_millis(timeout), replies })
}
