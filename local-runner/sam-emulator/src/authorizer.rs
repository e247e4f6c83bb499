//! Authorizers of HTTP, REST and WebSocket APIs: they decide about a request before its function runs (API
//! Gateway guide, `http-api-access-control`, `apigateway-use-lambda-authorizer`).
//!
//! In the order of reading: `identity` (values of the request), `policy` (IAM policies), `reply` (what a Lambda
//! authorizer answers), `jwt` and `keys` (tokens).

mod identity;
mod jwt;
mod keys;
mod policy;
mod reply;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::request::Parts;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};

use self::jwt::TokenError;
use self::keys::Keys;
use self::reply::Decision;
use crate::invoke::{Invocation, InvokeError, Invoker};
use crate::plan::{AuthorizerPlan, JwtPlan, LambdaAuthorizerPlan, RouteAuthorizer};

/// Time for the function of an authorizer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Decisions that are kept at the same time.
const MAX_CACHED: usize = 10_000;

/// Who a caller is, as the function sees it in `requestContext.authorizer`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Identity {
    /// The claims of a token as text, and its scopes.
    Jwt { claims: Map<String, Value>, scopes: Vec<String> },
    /// What a Lambda authorizer says.
    Lambda { principal: String, context: Map<String, Value> },
}

impl Identity {
    /// The form of payload format 2.0.
    pub(crate) fn format_2(&self) -> Value {
        match self {
            Self::Jwt { claims, scopes } => {
                let scopes = if scopes.is_empty() { Value::Null } else { json!(scopes) };
                json!({ "jwt": { "claims": claims, "scopes": scopes } })
            }
            Self::Lambda { context, .. } => json!({ "lambda": context }),
        }
    }

    /// The form of payload format 1.0, of REST APIs and of WebSocket APIs.
    pub(crate) fn format_1(&self) -> Value {
        match self {
            Self::Jwt { claims, scopes } => {
                let scopes = if scopes.is_empty() { Value::Null } else { json!(scopes) };
                json!({ "claims": claims, "scopes": scopes })
            }
            Self::Lambda { principal, context } => {
                let mut all = context.clone();
                all.insert("principalId".to_owned(), json!(principal));
                Value::Object(all)
            }
        }
    }
}

/// Why a request does not reach its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no token or identity, or it is not valid: 401, with this value of `www-authenticate`.
    Unauthorized(Option<String>),
    /// The caller is known and may not: 403.
    Forbidden,
    /// The authorizer failed: 500.
    Failed,
}

/// One request as authorizers see it.
pub(crate) struct Request<'a> {
    pub(crate) head: &'a Parts,
    /// `methodArn` or `routeArn`.
    pub(crate) arn: String,
    /// The event of the request in a payload format, without a body.
    pub(crate) event: &'a (dyn Fn(&str) -> Value + Sync),
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
}

/// The authorizers of one API.
pub(crate) struct Authorizers {
    plans: BTreeMap<String, AuthorizerPlan>,
    invoker: Arc<dyn Invoker>,
    keys: Keys,
    cache: Mutex<HashMap<CacheKey, (Instant, Decision)>>,
}

/// The authorizer's name and the values of its identity sources.
type CacheKey = (String, Vec<String>);

impl Authorizers {
    pub(crate) fn new(plans: &BTreeMap<String, AuthorizerPlan>, invoker: Arc<dyn Invoker>) -> Self {
        Self { plans: plans.clone(), invoker, keys: Keys::default(), cache: Mutex::default() }
    }

    /// Decides about a request; `None` for routes that everybody may call.
    pub(crate) async fn decide(
        &self,
        route: Option<&RouteAuthorizer>,
        request: &Request<'_>,
    ) -> Result<Option<Identity>, Refusal> {
        let Some(route) = route else { return Ok(None) };
        match self.plans.get(&route.name) {
            // Signatures are not checked; a notice says so at the start.
            Some(AuthorizerPlan::Iam) => Ok(None),
            Some(AuthorizerPlan::Jwt(plan)) => self.jwt(plan, &route.scopes, request).await.map(Some),
            Some(AuthorizerPlan::Lambda(plan)) => self.lambda(&route.name, plan, request).await.map(Some),
            Some(AuthorizerPlan::Unusable) | None => Err(Refusal::Failed),
        }
    }

    async fn jwt(
        &self,
        plan: &JwtPlan,
        scopes: &[String],
        request: &Request<'_>,
    ) -> Result<Identity, Refusal> {
        let source = std::slice::from_ref(&plan.identity);
        let values = identity::values(source, request, &Value::Null);
        let token = values.and_then(|values| values.into_iter().next());
        let token = token.ok_or_else(|| Refusal::Unauthorized(Some("Bearer".to_owned())))?;
        let token = jwt::without_scheme(&token);
        let read = async {
            let parsed = jwt::parse(token)?;
            let key = self.keys.get(&plan.issuer, &parsed.kid).await?;
            jwt::verify(&parsed, &key)?;
            jwt::check(&parsed.claims, plan, Timestamp::now().as_second())?;
            Ok::<_, TokenError>(parsed.claims)
        };
        match read.await {
            Ok(claims) => {
                let granted = jwt::scopes(&claims);
                if !scopes.is_empty() && !scopes.iter().any(|scope| granted.contains(scope)) {
                    return Err(Refusal::Forbidden);
                }
                Ok(Identity::Jwt { claims: jwt::as_text(&claims), scopes: granted })
            }
            Err(error) => {
                tracing::warn!(issuer = plan.issuer, %error, "token refused");
                let value = format!(
                    r#"Bearer scope="{}" error="invalid_token" error_description="{error}""#,
                    scopes.join(" ")
                );
                Err(Refusal::Unauthorized(Some(value)))
            }
        }
    }

    async fn lambda(
        &self,
        name: &str,
        plan: &LambdaAuthorizerPlan,
        request: &Request<'_>,
    ) -> Result<Identity, Refusal> {
        let event = (request.event)(&plan.payload_format);
        let values = identity::values(&plan.identity, request, &event);
        let values = values.ok_or(Refusal::Unauthorized(None))?;
        if let Some(pattern) = &plan.validation {
            let matches =
                regex_lite::Regex::new(&format!("^(?:{pattern})$")).map(|it| it.is_match(&values[0]));
            if !matches.unwrap_or(false) {
                return Err(Refusal::Unauthorized(None));
            }
        }
        // Without identity sources there is no key, so nothing is kept.
        let key =
            (!plan.identity.is_empty() && !plan.ttl.is_zero()).then(|| (name.to_owned(), values.clone()));
        if let Some(decision) = key.as_ref().and_then(|key| self.cached(key)) {
            return decision.apply(&request.arn);
        }
        let event = lambda_event(plan, request, event, &values);
        let decision = self.invoke(plan, &event).await?;
        if let Some(key) = key {
            self.keep(key, plan.ttl, decision.clone());
        }
        decision.apply(&request.arn)
    }

    async fn invoke(&self, plan: &LambdaAuthorizerPlan, event: &Value) -> Result<Decision, Refusal> {
        let call = Invocation::new(plan.function.as_str(), event.to_string());
        let (function, request_id) = (&plan.function, call.request_id.clone());
        let payload = match timeout(TIMEOUT, self.invoker.invoke(call)).await {
            Ok(Ok(payload)) => payload,
            // The way in which a function asks for 401.
            Ok(Err(InvokeError::Function { message, .. })) if message == "Unauthorized" => {
                return Err(Refusal::Unauthorized(None));
            }
            Ok(Err(error)) => {
                tracing::warn!(function, request_id, %error, "authorizer failed");
                return Err(Refusal::Failed);
            }
            Err(_) => {
                tracing::warn!(function, request_id, timeout = ?TIMEOUT, "authorizer timed out");
                return Err(Refusal::Failed);
            }
        };
        Decision::read(&payload, plan.simple).ok_or_else(|| {
            tracing::warn!(function, request_id, "invalid reply of an authorizer");
            Refusal::Failed
        })
    }

    fn cached(&self, key: &CacheKey) -> Option<Decision> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, decision) = cache.get(key)?;
        (*until > Instant::now()).then(|| decision.clone())
    }

    fn keep(&self, key: CacheKey, ttl: Duration, decision: Decision) {
        let now = Instant::now();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, (until, _)| *until > now);
        }
        if cache.len() < MAX_CACHED {
            cache.insert(key, (now + ttl, decision));
        }
    }
}

/// The event of a Lambda authorizer: the token alone, or the request with fields of its own.
fn lambda_event(
    plan: &LambdaAuthorizerPlan,
    request: &Request<'_>,
    event: Value,
    values: &[String],
) -> Value {
    if plan.is_token {
        let token = values.first().map_or("", String::as_str);
        return json!({ "type": "TOKEN", "methodArn": request.arn, "authorizationToken": token });
    }
    let Value::Object(mut event) = event else { return Value::Null };
    event.remove("body");
    event.remove("isBase64Encoded");
    event.insert("type".to_owned(), json!("REQUEST"));
    if plan.payload_format == "2.0" {
        event.insert("routeArn".to_owned(), json!(request.arn));
        event.insert("identitySource".to_owned(), json!(values));
    } else {
        event.insert("methodArn".to_owned(), json!(request.arn));
        event.insert("identitySource".to_owned(), json!(values.join(",")));
        event.insert("authorizationToken".to_owned(), json!(values.join(",")));
    }
    Value::Object(event)
}
