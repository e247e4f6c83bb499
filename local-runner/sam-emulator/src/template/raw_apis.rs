//! `AWS::ApiGatewayV2::*`: HTTP and WebSocket APIs whose routes, integrations, stages and authorizers are
//! resources of their own.

use super::apis::ApiBuilder;
use super::context::{Context, text_or};
use super::node::Cursor;
use super::raw_parts::RawParts;
use super::{raw_http, raw_websocket, resource_types};
use crate::plan::{AuthorizerPlan, WebSocketPlan};

/// Collects the resources, which may come in any order in the template.
#[derive(Default)]
pub(crate) struct RawApis {
    pub(crate) parts: RawParts,
    /// WebSocket APIs of SAM's own type.
    pub(crate) websockets: Vec<WebSocketPlan>,
}

impl RawApis {
    /// Joins the resources. HTTP APIs go to `apis`.
    pub(crate) fn build(mut self, context: &Context<'_>, apis: &mut ApiBuilder) -> Vec<WebSocketPlan> {
        let mut websockets = std::mem::take(&mut self.websockets);
        for resource in self.parts.all("Api") {
            let at = resource.properties();
            check_api(context, &at);
            match context.findings.or(String::new(), text_or(&at, "ProtocolType", "HTTP")).as_str() {
                "WEBSOCKET" => {
                    websockets.extend(context.findings.ok(raw_websocket::read(
                        &self.parts,
                        context,
                        resource,
                    )));
                }
                _ => raw_http::read(&self.parts, context, resource, apis),
            }
        }
        self.routes_of_other_apis(context, apis);
        let responses = self.parts.responses(context);
        for api in &mut websockets {
            if api.authorizer == Some(AuthorizerPlan::Iam) {
                let text = format!("signatures of requests to {} are not checked (AWS_IAM)", api.id);
                context.findings.remark(text);
            }
            for (key, route) in &mut api.routes {
                // The logical id of the route: SAM's, or the one that `websocket` notes for its own.
                let generated = resource_types::generated_route(&api.id, key);
                let own = self.parts.route_id(&api.id, key);
                route.replies &=
                    responses.contains(&generated) || own.is_some_and(|id| responses.contains(id));
            }
        }
        websockets
    }

    /// Routes, of raw APIs and of those that SAM declares.
    fn routes_of_other_apis(&self, context: &Context<'_>, apis: &mut ApiBuilder) {
        for resource in self.parts.all("Route") {
            let at = resource.properties();
            let api = at.need("ApiId").and_then(|id| Ok(id.text()?.to_owned()));
            let Some(api) = context.findings.ok(api) else { continue };
            if self.parts.is_websocket(&api) {
                continue;
            }
            apis.add_routes(
                context.findings.or(None, raw_http::read_route(&self.parts, context, resource, &api)),
            );
        }
    }
}

fn check_api(context: &Context<'_>, at: &Cursor<'_>) {
    const READ: &[&str] = &[
        "Body",
        "BodyS3Location",
        "CorsConfiguration",
        "ProtocolType",
        "RouteKey",
        "RouteSelectionExpression",
        "Target",
    ];
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
