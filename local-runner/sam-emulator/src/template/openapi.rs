//! An OpenAPI document with API Gateway's extensions (API Gateway guide, `api-gateway-swagger-extensions`) →
//! routes and authorizers.

use super::authorizers::{self, Authorizers, IAM};
use super::context::{Context, text, text_or};
use super::cors::read_cors;
use super::declared::{DeclaredRoute, RouteAuth};
use super::error::TemplateError;
use super::node::Cursor;
use super::route;
use crate::plan::{AuthorizerPlan, CorsPlan, HttpApiKind};

/// The content of a document that concerns the gateway.
pub(crate) struct Definition {
    pub(crate) routes: Vec<DeclaredRoute>,
    pub(crate) cors: Option<CorsPlan>,
}

/// Reads the document at `at`; the authorizers join those of the API `api`.
pub(crate) fn read(
    context: &Context<'_>,
    at: &Cursor<'_>,
    (api, kind): (&str, HttpApiKind),
    known: &mut Authorizers,
) -> Definition {
    let findings = context.findings;
    for (name, scheme) in security_schemes(context, at) {
        if let Some(read) = findings.or(Some(AuthorizerPlan::Unusable), authorizer(context, &scheme)) {
            known.by_name.insert(name, read);
        }
    }
    let global = findings.or(None, security(at, known));
    let mut routes = Vec::new();
    for (path, item) in at.get("paths").map_or(Vec::new(), |paths| findings.or(Vec::new(), paths.entries())) {
        for (method, operation) in findings.or(Vec::new(), item.entries()) {
            let Some(method) = route::method(method) else { continue };
            let reader = Operation { context, api, kind, known, global: global.as_ref() };
            routes.extend(findings.ok(reader.read(path, &method, &operation)).flatten());
        }
    }
    let cors = at.get("x-amazon-apigateway-cors").map(|cors| read_cors(context, &cors));
    Definition { routes, cors: cors.and_then(|cors| findings.ok(cors)).flatten() }
}

struct Operation<'a> {
    context: &'a Context<'a>,
    api: &'a str,
    kind: HttpApiKind,
    known: &'a Authorizers,
    global: Option<&'a String>,
}

impl Operation<'_> {
    /// The route of one operation; `None` when its integration invokes no function.
    fn read(
        &self,
        path: &str,
        method: &str,
        at: &Cursor<'_>,
    ) -> Result<Option<DeclaredRoute>, TemplateError> {
        // An event of SAM's may complete an operation without an integration.
        let Some(integration) = at.get("x-amazon-apigateway-integration") else { return Ok(None) };
        let kind = text_or(&integration, "type", "aws_proxy")?.to_lowercase();
        let subtype = text(&integration, "integrationSubtype")?;
        if kind != "aws_proxy" || subtype.is_some() {
            let what = subtype.unwrap_or(kind);
            let source = format!("{method} {path} of {} (integration {what})", self.api);
            self.context.other_trigger(integration.get("uri").as_ref(), source);
            return Ok(None);
        }
        let function = self.context.function(&integration.need("uri")?)?;
        let timeout = route::read_timeout(&integration, "timeoutInMillis", self.kind)?;
        let format = route::read_format(&integration, "payloadFormatVersion", "1.0")?;
        let is_default = matches!(path, "$default" | "/$default");
        let path = if is_default { "$default".to_owned() } else { route::read_path(at, path)? };
        Ok(Some(DeclaredRoute {
            api: self.api.to_owned(),
            path: at.path.clone(),
            plan: route::plan(method, &path, &function, timeout, &format),
            auth: self.auth(at)?,
            in_definition: true,
        }))
    }

    fn auth(&self, at: &Cursor<'_>) -> Result<RouteAuth, TemplateError> {
        let own = security(at, self.known)?;
        let name = own.as_ref().or(self.global);
        let scopes = match (&name, at.get("security")) {
            (Some(name), Some(list)) => list.items()?.iter().find_map(|item| item.get(name)),
            _ => None,
        };
        Ok(RouteAuth { authorizer: name.cloned(), scopes: scopes.map(|scopes| scopes.texts()).transpose()? })
    }
}

/// `components.securitySchemes`, or `securityDefinitions` of Swagger 2.
fn security_schemes<'a>(context: &Context<'_>, at: &Cursor<'a>) -> Vec<(String, Cursor<'a>)> {
    let new = at.get("components").and_then(|components| components.get("securitySchemes"));
    let schemes = new.or_else(|| at.get("securityDefinitions"));
    let entries = schemes.map_or(Vec::new(), |schemes| context.findings.or(Vec::new(), schemes.entries()));
    entries.into_iter().map(|(name, scheme)| (name.to_owned(), scheme)).collect()
}

fn authorizer(context: &Context<'_>, scheme: &Cursor<'_>) -> Result<Option<AuthorizerPlan>, TemplateError> {
    match scheme.get("x-amazon-apigateway-authorizer") {
        Some(at) => authorizers::of_openapi(context, &at, scheme).map(Some),
        None if scheme.get("x-amazon-apigateway-authtype").is_some_and(|it| it.text() == Ok("awsSigv4")) => {
            Ok(Some(AuthorizerPlan::Iam))
        }
        // A key or a scheme that only documents.
        None => Ok(None),
    }
}

/// The first known authorizer of `security`; `NONE` for an empty list, `None` when there is no list.
fn security(at: &Cursor<'_>, known: &Authorizers) -> Result<Option<String>, TemplateError> {
    let Some(list) = at.get("security") else { return Ok(None) };
    let names: Vec<String> = list
        .items()?
        .iter()
        .filter_map(|item| item.entries().ok())
        .flatten()
        .map(|(name, _)| name.to_owned())
        .collect();
    let found = names.iter().find(|name| known.by_name.contains_key(*name) && *name != IAM);
    Ok(Some(found.cloned().unwrap_or_else(|| "NONE".to_owned())))
}
