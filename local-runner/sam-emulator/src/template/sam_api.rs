//! `AWS::Serverless::HttpApi` and `AWS::Serverless::Api`, declared or implied by events.

use super::authorizers::{self, Authorizers};
use super::context::{Context, text, text_map, text_or};
use super::cors::read_cors;
use super::declared::{DeclaredApi, DeclaredRoute};
use super::error::TemplateError;
use super::node::{Cursor, Node};
use super::resource::Resource;
use super::{files, intrinsics, openapi, resource_types};
use crate::plan::{AuthorizerPlan, HttpApiKind, HttpApiPlan};

/// The logical ids of the APIs that SAM creates for events without `ApiId` or `RestApiId`.
pub(crate) const IMPLICIT_HTTP: &str = "ServerlessHttpApi";
pub(crate) const IMPLICIT_REST: &str = "ServerlessRestApi";

const READ: &[&str] = &[
    "Auth",
    "Cors",
    "CorsConfiguration",
    "DefinitionBody",
    "DefinitionUri",
    "StageName",
    "StageVariables",
    "Variables",
];

/// Properties that name, observe, throttle or publish the API and do not change a response here.
const IGNORED: &[&str] = &[
    "AccessLogSetting",
    "AccessLogSettings",
    "AlwaysDeploy",
    "ApiKeySourceType",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "FailOnWarnings",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Mode",
    "Models",
    "Name",
    "OpenApiVersion",
    "Policy",
    "PropagateTags",
    "RouteSettings",
    "SecurityPolicy",
    "Tags",
    "TracingEnabled",
];

/// Reads an API resource and the routes of its OpenAPI document.
pub(crate) fn read(
    context: &Context<'_>,
    resource: &Resource,
    kind: HttpApiKind,
) -> (DeclaredApi, Vec<DeclaredRoute>) {
    read_api(context, &resource.properties(), &resource.id, kind)
}

/// The API that SAM creates, with the properties of its section of Globals.
pub(crate) fn implicit(context: &Context<'_>, id: &str, kind: HttpApiKind) -> DeclaredApi {
    let section = if kind == HttpApiKind::Rest { "Api" } else { "HttpApi" };
    let path = format!("Globals.{section}");
    let defaults = context.globals.merge(section, Node::Null);
    let resolved = intrinsics::resolve(context.scope, &Cursor::new(&defaults, path.clone()));
    read_api(context, &Cursor::new(&resolved, path), id, kind).0
}

fn read_api(
    context: &Context<'_>,
    at: &Cursor<'_>,
    id: &str,
    kind: HttpApiKind,
) -> (DeclaredApi, Vec<DeclaredRoute>) {
    let findings = context.findings;
    findings.only(at, READ, IGNORED);
    let auth = at.get("Auth").map(|auth| authorizers::of_sam(context, &auth, kind));
    let mut authorizers = auth.unwrap_or_default();
    let definition = findings.or(None, definition(context, at));
    let place = format!("{}.DefinitionBody", at.path);
    let document = definition
        .map(|node| openapi::read(context, &Cursor::new(&node, place), (id, kind), &mut authorizers));
    let (routes, cors_of_document) = document.map_or((Vec::new(), None), |it| (it.routes, it.cors));
    let cors = at.get("CorsConfiguration").or_else(|| at.get("Cors"));
    let cors = cors.and_then(|cors| findings.or(None, read_cors(context, &cors)));
    let service = if kind == HttpApiKind::Rest { "AWS::Serverless::Api" } else { "AWS::Serverless::HttpApi" };
    let stage = text_or(at, "StageName", resource_types::default_stage(service));
    let variables = if kind == HttpApiKind::Rest { "Variables" } else { "StageVariables" };
    let plan = HttpApiPlan {
        id: id.to_owned(),
        kind,
        stage: findings.or(String::new(), stage),
        routes: Vec::new(),
        cors: cors.or(cors_of_document),
        stage_variables: findings.or(Default::default(), text_map(at, variables)),
        authorizers: Default::default(),
    };
    (DeclaredApi { plan, authorizers: with_iam(authorizers) }, routes)
}

/// IAM is an authorizer of every API.
fn with_iam(mut authorizers: Authorizers) -> Authorizers {
    authorizers.by_name.entry(authorizers::IAM.to_owned()).or_insert(AuthorizerPlan::Iam);
    authorizers
}

/// The OpenAPI document: in the template, or a file beside it.
fn definition(context: &Context<'_>, at: &Cursor<'_>) -> Result<Option<Node>, TemplateError> {
    if let Some(body) = at.get("DefinitionBody") {
        body.entries()?;
        return Ok(Some(body.node.clone()));
    }
    let Some(uri) = at.get("DefinitionUri") else { return Ok(None) };
    let location =
        uri.text().map_err(|_| uri.error("name a file beside the template, not an object in S3"))?;
    let content = files::read(context.scope.folder, location).map_err(|what| uri.error(what))?;
    Ok(Some(intrinsics::resolve(context.scope, &Cursor::new(&content, location))))
}

/// The id of the API that an event names, or the implicit one.
pub(crate) fn api_of_event(at: &Cursor<'_>, kind: HttpApiKind) -> Result<String, TemplateError> {
    let (key, implicit) = match kind {
        HttpApiKind::Rest => ("RestApiId", IMPLICIT_REST),
        _ => ("ApiId", IMPLICIT_HTTP),
    };
    Ok(text(at, key)?.unwrap_or_else(|| implicit.to_owned()))
}
