//! The resources of `AWS::ApiGatewayV2::*` and what HTTP and WebSocket APIs read from them alike: integrations,
//! stages, authorizers.

use std::collections::{BTreeMap, BTreeSet};

use super::authorizers::{self, Authorizers, IAM};
use super::context::{Context, text, text_map, text_or, texts};
use super::declared::RouteAuth;
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::websocket::IGNORED_BY_ROUTES;
use crate::plan::AuthorizerPlan;

/// Resources by the last part of their type: `Api`, `Route`, …
#[derive(Default)]
pub(crate) struct RawParts {
    resources: BTreeMap<String, Vec<Resource>>,
}

/// The name and the variables of a stage.
type Stage = (String, BTreeMap<String, String>);

impl RawParts {
    /// Adds a resource of the type `AWS::ApiGatewayV2::<part>`.
    pub(crate) fn add(&mut self, part: &str, resource: Resource) {
        self.resources.entry(part.to_owned()).or_default().push(resource);
    }

    /// All resources of one type.
    pub(crate) fn all(&self, part: &str) -> &[Resource] {
        self.resources.get(part).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_websocket(&self, api: &str) -> bool {
        let is_websocket = |resource: &Resource| {
            resource.id == api
                && text(&resource.properties(), "ProtocolType") == Ok(Some("WEBSOCKET".to_owned()))
        };
        self.all("Api").iter().any(is_websocket)
    }

    /// Logical ids of routes that have a `$default` response. WebSocket APIs have no other key.
    pub(crate) fn responses(&self, context: &Context<'_>) -> BTreeSet<String> {
        let read = |resource: &Resource| -> Result<Option<String>, TemplateError> {
            let at = resource.properties();
            let is_default = at.need("RouteResponseKey")?.text()? == "$default";
            Ok(is_default.then_some(at.need("RouteId")?.text()?.to_owned()))
        };
        let all = self.all("RouteResponse").iter();
        all.filter_map(|resource| context.findings.or(None, read(resource))).collect()
    }

    pub(crate) fn route_id(&self, api: &str, key: &str) -> Option<&str> {
        let is_route = |resource: &&Resource| {
            let at = resource.properties();
            text(&at, "ApiId") == Ok(Some(api.to_owned()))
                && text(&at, "RouteKey") == Ok(Some(key.to_owned()))
        };
        self.all("Route").iter().find(is_route).map(|resource| resource.id.as_str())
    }

    /// The integration of a route; `None` after noticing one that invokes no function through a proxy.
    pub(crate) fn integration(
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
            let uri = integration.get("IntegrationUri");
            context.other_trigger(uri.as_ref(), format!("{} (integration {kind})", source()));
            return Ok(None);
        }
        Ok(Some(found))
    }

    /// The authorizers of one API, by logical id.
    pub(crate) fn authorizers(&self, context: &Context<'_>, api: &str) -> Authorizers {
        let mut all = Authorizers::default();
        all.by_name.insert(IAM.to_owned(), AuthorizerPlan::Iam);
        for resource in self.all("Authorizer") {
            let at = resource.properties();
            if at.get("ApiId").is_some_and(|id| id.text() == Ok(api)) {
                let read = authorizers::of_resource(context, &at);
                let read = context.findings.or(AuthorizerPlan::Unusable, read);
                all.by_name.insert(resource.id.clone(), read);
            }
        }
        all
    }

    /// Name and variables of the API's stage; further stages are noticed.
    pub(crate) fn stage(&self, context: &Context<'_>, api: &str) -> Result<Option<Stage>, TemplateError> {
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

/// `AuthorizationType`, `AuthorizerId` and `AuthorizationScopes` of a route.
pub(crate) fn read_auth(at: &Cursor<'_>) -> Result<RouteAuth, TemplateError> {
    let authorizer = match text_or(at, "AuthorizationType", "NONE")?.as_str() {
        "NONE" => "NONE".to_owned(),
        "AWS_IAM" => IAM.to_owned(),
        _ => at.need("AuthorizerId")?.text()?.to_owned(),
    };
    let scopes = texts(at, "AuthorizationScopes")?;
    Ok(RouteAuth { authorizer: Some(authorizer), scopes: Some(scopes) })
}

pub(crate) fn check_route(context: &Context<'_>, at: &Cursor<'_>) {
    const READ: &[&str] = &[
        "ApiId",
        "AuthorizationScopes",
        "AuthorizationType",
        "AuthorizerId",
        "RouteKey",
        "RouteResponseSelectionExpression",
        "Target",
    ];
    context.findings.only(at, READ, IGNORED_BY_ROUTES);
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
