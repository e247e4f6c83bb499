//! Authorizers of HTTP and WebSocket APIs as plain data.

use std::time::Duration;

/// Who decides whether a request may reach a route's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizerPlan {
    /// A signed token that is checked here.
    Jwt(JwtPlan),
    /// A function that decides.
    Lambda(LambdaAuthorizerPlan),
    /// IAM signatures, which the emulator does not check.
    Iam,
    /// One whose declaration has a problem; with `--skip-unsupported`, its routes refuse every request.
    Unusable,
}

/// A JWT authorizer of an HTTP API, or a user pool of a REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtPlan {
    /// `Issuer`: the value of `iss`, and the base of the address of the keys.
    pub issuer: String,
    /// `Audience`: accepted values of `aud`, or of `client_id` in a token without `aud`. Empty accepts all,
    /// which only a user pool may.
    pub audience: Vec<String>,
    /// Where the token is.
    pub identity: IdentitySource,
}

/// A Lambda authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaAuthorizerPlan {
    /// The name of the function.
    pub function: String,
    /// `TOKEN`: the function gets the token alone. Otherwise `REQUEST`: it gets the request.
    pub is_token: bool,
    /// Values that a request must have; together with the authorizer they are the key of the cache.
    pub identity: Vec<IdentitySource>,
    /// The request's format: `1.0` (the only one of REST and WebSocket APIs) or `2.0`.
    pub payload_format: String,
    /// `EnableSimpleResponses`: the function answers `isAuthorized` instead of an IAM policy.
    pub simple: bool,
    /// `AuthorizerResultTtlInSeconds`: how long a decision is kept; zero keeps none.
    pub ttl: Duration,
    /// `IdentityValidationExpression`: a regular expression that a `TOKEN` must match.
    pub validation: Option<String>,
}

/// One value of a request that an authorizer looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header, by name.
    Header(String),
    /// A parameter of the query, by name.
    Query(String),
    /// A field of `requestContext`, like `routeKey`.
    Context(String),
    /// A stage variable, by name.
    StageVariable(String),
}

impl IdentitySource {
    /// Parses the selection expressions of all kinds of APIs: `$request.header.Authorization`,
    /// `method.request.querystring.q`, `route.request.header.X`, `context.path`, `$stageVariables.x`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('$');
        let text = text.strip_prefix("method.").or_else(|| text.strip_prefix("route.")).unwrap_or(text);
        let (place, name) = match text.strip_prefix("request.") {
            Some(rest) => rest.split_once('.')?,
            None => text.split_once('.')?,
        };
        let name = name.to_owned();
        match place {
            _ if name.is_empty() => None,
            "header" | "multivalueheader" => Some(Self::Header(name)),
            "querystring" | "multivaluequerystring" => Some(Self::Query(name)),
            "context" => Some(Self::Context(name)),
            "stageVariables" => Some(Self::StageVariable(name)),
            _ => None,
        }
    }
}

/// What a route asks of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteAuthorizer {
    /// The authorizer's name in its API.
    pub name: String,
    /// `AuthorizationScopes`: one of them must be in the token; empty asks for none.
    pub scopes: Vec<String>,
}
