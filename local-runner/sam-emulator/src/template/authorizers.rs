//! Authorizers in every form in which templates declare them → [`AuthorizerPlan`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::context::{Context, text, text_or, texts};
use super::error::TemplateError;
use super::node::Cursor;
use super::resource_types::user_pool_issuer;
use crate::plan::{AuthorizerPlan, HttpApiKind, IdentitySource, JwtPlan, LambdaAuthorizerPlan};

/// API Gateway's default for REST APIs: decisions are kept for five minutes.
const REST_TTL: u64 = 300;

/// The authorizers of one API.
#[derive(Debug, Default)]
pub(crate) struct Authorizers {
    pub(crate) by_name: BTreeMap<String, AuthorizerPlan>,
    /// `DefaultAuthorizer`: for routes that name none.
    pub(crate) default: Option<String>,
    /// Scopes for routes that name none, by authorizer.
    pub(crate) scopes: BTreeMap<String, Vec<String>>,
}

/// The name of the authorizer that checks IAM signatures.
pub(crate) const IAM: &str = "AWS_IAM";

/// `Auth` of `AWS::Serverless::HttpApi` and `AWS::Serverless::Api`.
pub(crate) fn of_sam(context: &Context<'_>, auth: &Cursor<'_>, kind: HttpApiKind) -> Authorizers {
    const READ: &[&str] = &["Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"];
    const IGNORED: &[&str] = &[
        "AddApiKeyRequiredToCorsPreflight",
        "AddDefaultAuthorizerToCorsPreflight",
        "ApiKeyRequired",
        "InvokeRole",
        "ResourcePolicy",
        "UsagePlan",
    ];
    let findings = context.findings;
    findings.only(auth, READ, IGNORED);
    let mut all = Authorizers::default();
    all.by_name.insert(IAM.to_owned(), AuthorizerPlan::Iam);
    for (name, at) in
        auth.get("Authorizers").map_or(Vec::new(), |list| findings.or(Vec::new(), list.entries()))
    {
        let read = match kind {
            HttpApiKind::Rest => rest(context, &at),
            _ => http(context, &at),
        };
        all.by_name.insert(name.to_owned(), findings.or(AuthorizerPlan::Unusable, read));
        all.scopes.insert(name.to_owned(), findings.or(Vec::new(), texts(&at, "AuthorizationScopes")));
    }
    all.default = findings.or(None, text(auth, "DefaultAuthorizer"));
    all
}

/// One of `Auth.Authorizers` of an HTTP API.
fn http(context: &Context<'_>, at: &Cursor<'_>) -> Result<AuthorizerPlan, TemplateError> {
    if let Some(jwt) = at.get("JwtConfiguration") {
        return jwt_configuration(&jwt, &text_or(at, "IdentitySource", "$request.header.Authorization")?, at);
    }
    let function = at
        .get("FunctionArn")
        .ok_or_else(|| at.error("an authorizer of an HTTP API needs JwtConfiguration or FunctionArn"))?;
    let identity = at.get("Identity");
    Ok(AuthorizerPlan::Lambda(LambdaAuthorizerPlan {
        function: context.function(&function)?,
        is_token: false,
        identity: identity.as_ref().map_or(Ok(Vec::new()), sam_identity)?,
        payload_format: payload_format(at, "AuthorizerPayloadFormatVersion", "1.0")?,
        simple: flag(at, "EnableSimpleResponses")?,
        ttl: ttl(identity.as_ref(), "ReauthorizeEvery", 0)?,
        validation: None,
    }))
}

/// One of `Auth.Authorizers` of a REST API.
fn rest(context: &Context<'_>, at: &Cursor<'_>) -> Result<AuthorizerPlan, TemplateError> {
    let identity = at.get("Identity");
    let header = identity.as_ref().map_or(Ok(None), |identity| text(identity, "Header"))?;
    let header = header.unwrap_or_else(|| "Authorization".to_owned());
    if let Some(pool) = at.get("UserPoolArn") {
        return user_pool(context, &pool, header);
    }
    let function = at
        .get("FunctionArn")
        .ok_or_else(|| at.error("an authorizer of a REST API needs UserPoolArn or FunctionArn"))?;
    let is_token = text_or(at, "FunctionPayloadType", "TOKEN")? == "TOKEN";
    let request = identity.as_ref().map_or(Ok(Vec::new()), sam_identity)?;
    let validation = identity.as_ref().map_or(Ok(None), |it| text(it, "ValidationExpression"))?;
    Ok(AuthorizerPlan::Lambda(LambdaAuthorizerPlan {
        function: context.function(&function)?,
        is_token,
        identity: if is_token { vec![IdentitySource::Header(header)] } else { request },
        payload_format: "1.0".to_owned(),
        simple: false,
        ttl: ttl(identity.as_ref(), "ReauthorizeEvery", REST_TTL)?,
        validation,
    }))
}

/// `AWS::ApiGatewayV2::Authorizer`, and `AWS::ApiGateway::Authorizer` with its other names.
pub(crate) fn of_resource(context: &Context<'_>, at: &Cursor<'_>) -> Result<AuthorizerPlan, TemplateError> {
    const READ: &[&str] = &[
        "ApiId",
        "AuthorizerPayloadFormatVersion",
        "AuthorizerResultTtlInSeconds",
        "AuthorizerType",
        "AuthorizerUri",
        "EnableSimpleResponses",
        "IdentitySource",
        "IdentityValidationExpression",
        "JwtConfiguration",
        "Name",
        "ProviderARNs",
        "RestApiId",
        "Type",
    ];
    context.findings.only(at, READ, &["AuthType", "AuthorizerCredentials", "AuthorizerCredentialsArn"]);
    let kind = at.get("AuthorizerType").or_else(|| at.get("Type"));
    let kind = kind.ok_or_else(|| at.error("AuthorizerType is missing"))?;
    let sources = texts(at, "IdentitySource")?.join(",");
    match kind.text()?.to_uppercase().as_str() {
        "JWT" => jwt_configuration(&at.need("JwtConfiguration")?, &sources, at),
        "COGNITO_USER_POOLS" => {
            let pools = at.need("ProviderARNs")?;
            let first = pools.items()?.into_iter().next();
            let pool = first.ok_or_else(|| pools.error("expected the ARN of a user pool"))?;
            user_pool(context, &pool, header_of(&sources))
        }
        other => lambda(context, at, other == "TOKEN", &sources),
    }
}

/// `x-amazon-apigateway-authorizer` of a security scheme; `scheme` has the name of its header.
pub(crate) fn of_openapi(
    context: &Context<'_>,
    at: &Cursor<'_>,
    scheme: &Cursor<'_>,
) -> Result<AuthorizerPlan, TemplateError> {
    let sources = match at.get("identitySource") {
        Some(sources) => sources.texts()?.join(","),
        None => format!("method.request.header.{}", text_or(scheme, "name", "Authorization")?),
    };
    match text_or(at, "type", "request")?.to_lowercase().as_str() {
        "jwt" => jwt_configuration(&at.need("jwtConfiguration")?, &sources, at),
        "cognito_user_pools" => {
            let pools = at.need("providerARNs")?;
            let first = pools.items()?.into_iter().next();
            let pool = first.ok_or_else(|| pools.error("expected the ARN of a user pool"))?;
            user_pool(context, &pool, header_of(&sources))
        }
        other => lambda(context, at, other == "token", &sources),
    }
}

/// A Lambda authorizer whose properties are named as API Gateway names them, in either spelling.
fn lambda(
    context: &Context<'_>,
    at: &Cursor<'_>,
    is_token: bool,
    sources: &str,
) -> Result<AuthorizerPlan, TemplateError> {
    let get = |name: &str| {
        let (first, rest) = name.split_at(1);
        at.get(name).or_else(|| at.get(&format!("{}{rest}", first.to_lowercase())))
    };
    let uri = get("AuthorizerUri").ok_or_else(|| at.error("AuthorizerUri is missing"))?;
    let ttl = get("AuthorizerResultTtlInSeconds").map(|ttl| ttl.number(0, 3600)).transpose()?;
    let is_http = get("AuthorizerPayloadFormatVersion").is_some();
    let format = get("AuthorizerPayloadFormatVersion").map_or(Ok("1.0"), |format| format.text())?;
    Ok(AuthorizerPlan::Lambda(LambdaAuthorizerPlan {
        function: context.function(&uri)?,
        is_token,
        identity: identity_sources(sources, at)?,
        payload_format: format.to_owned(),
        simple: get("EnableSimpleResponses").map_or(Ok(false), |flag| flag.boolean())?,
        ttl: Duration::from_secs(ttl.unwrap_or(if is_http { 0 } else { REST_TTL })),
        validation: get("IdentityValidationExpression").map(|it| it.text().map(str::to_owned)).transpose()?,
    }))
}

/// `AuthArn` of the authorizer of `AWS::Serverless::WebSocketApi`.
pub(crate) fn of_websocket(
    context: &Context<'_>,
    auth: &Cursor<'_>,
) -> Result<Option<AuthorizerPlan>, TemplateError> {
    context.findings.only(auth, &["AuthType", "AuthArn", "IdentitySource"], &["InvokeRole"]);
    match text_or(auth, "AuthType", "NONE")?.to_uppercase().as_str() {
        "NONE" => Ok(None),
        "AWS_IAM" => Ok(Some(AuthorizerPlan::Iam)),
        _ => Ok(Some(AuthorizerPlan::Lambda(LambdaAuthorizerPlan {
            function: context.function(&auth.need("AuthArn")?)?,
            is_token: false,
            identity: identity_sources(&texts(auth, "IdentitySource")?.join(","), auth)?,
            payload_format: "1.0".to_owned(),
            simple: false,
            ttl: Duration::ZERO,
            validation: None,
        }))),
    }
}

/// `JwtConfiguration`, whose keys people write in either case.
fn jwt_configuration(
    jwt: &Cursor<'_>,
    source: &str,
    at: &Cursor<'_>,
) -> Result<AuthorizerPlan, TemplateError> {
    let issuer = jwt.get("issuer").or_else(|| jwt.get("Issuer"));
    let audience = jwt.get("audience").or_else(|| jwt.get("Audience"));
    let issuer = issuer.ok_or_else(|| jwt.error("issuer is missing"))?.text()?.to_owned();
    let audience = audience.ok_or_else(|| jwt.error("audience is missing"))?.texts()?;
    let identity = identity_sources(source, at)?.into_iter().next();
    let identity = identity.unwrap_or_else(|| IdentitySource::Header("Authorization".to_owned()));
    Ok(AuthorizerPlan::Jwt(JwtPlan { issuer, audience, identity }))
}

/// A user pool by its ARN: its tokens are JWTs of a known issuer.
fn user_pool(
    context: &Context<'_>,
    pool: &Cursor<'_>,
    header: String,
) -> Result<AuthorizerPlan, TemplateError> {
    let items = pool.items()?;
    let arn = items.first().ok_or_else(|| pool.error("expected the ARN of a user pool"))?.text()?;
    let id = arn.rsplit('/').next().unwrap_or(arn);
    Ok(AuthorizerPlan::Jwt(JwtPlan {
        issuer: user_pool_issuer(context.scope.account, id),
        audience: Vec::new(),
        identity: IdentitySource::Header(header),
    }))
}

/// SAM's `Identity`: names of headers, parameters, context fields and stage variables.
fn sam_identity(at: &Cursor<'_>) -> Result<Vec<IdentitySource>, TemplateError> {
    let mut all: Vec<_> = texts(at, "Headers")?.into_iter().map(IdentitySource::Header).collect();
    all.extend(texts(at, "QueryStrings")?.into_iter().map(IdentitySource::Query));
    all.extend(texts(at, "Context")?.into_iter().map(IdentitySource::Context));
    all.extend(texts(at, "StageVariables")?.into_iter().map(IdentitySource::StageVariable));
    Ok(all)
}

/// Selection expressions, separated by commas.
fn identity_sources(list: &str, at: &Cursor<'_>) -> Result<Vec<IdentitySource>, TemplateError> {
    let sources = list.split(',').map(str::trim).filter(|source| !source.is_empty());
    sources
        .map(|source| {
            let parsed = IdentitySource::parse(source);
            parsed.ok_or_else(|| at.error(format!("the identity source `{source}` is not supported")))
        })
        .collect()
}

fn header_of(sources: &str) -> String {
    match sources.split(',').find_map(IdentitySource::parse) {
        Some(IdentitySource::Header(name)) => name,
        _ => "Authorization".to_owned(),
    }
}

fn payload_format(at: &Cursor<'_>, key: &str, default: &str) -> Result<String, TemplateError> {
    let format = text_or(at, key, default)?;
    match format.as_str() {
        "1.0" | "2.0" => Ok(format),
        other => Err(at.error(format!("{key} must be 1.0 or 2.0, found `{other}`"))),
    }
}

fn flag(at: &Cursor<'_>, key: &str) -> Result<bool, TemplateError> {
    at.get(key).map_or(Ok(false), |value| value.boolean())
}

fn ttl(at: Option<&Cursor<'_>>, key: &str, default: u64) -> Result<Duration, TemplateError> {
    let seconds = at.and_then(|at| at.get(key)).map_or(Ok(default), |value| value.number(0, 3600))?;
    Ok(Duration::from_secs(seconds))
}
