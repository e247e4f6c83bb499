//! The HTTP API trigger: request → route → event → function → response, with API Gateway's limits and error
//! bodies (API Gateway guide, `http-api`).
//!
//! In the order of reading: `path` and `route` (which route), `event` and `event_v1` (the function's input),
//! `rest` (both of them for REST APIs), `reply` (its output), `cors`, `failure`. Those modules do no input or output.

mod cors;
mod event;
mod event_v1;
mod failure;
mod headers;
pub mod options;
mod path;
mod reply;
mod rest;
pub mod route;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout;

use self::cors::Cors;
use self::event::RequestMeta;
use self::failure::Failure;
use self::options::HttpApiOptions;
use self::route::{RouteMatch, Router};
use crate::authorizer::{self, Authorizers, Refusal};
use crate::body::{self, BodyError};
use crate::endpoint::{Audience, Endpoint, Request, Response, message};
use crate::gateway::{self, API_ID};
use crate::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use crate::plan::{Account, CorsPlan, HttpApiKind, HttpApiPlan, Plan};

/// Bytes of request line and headers: the gateway's limit.
const MAX_HEAD: usize = 10_240;
/// Bytes of an event: Lambda's limit for a synchronous invocation. A larger body, up to the gateway's own limit
/// of 10 MB, fits into no event, so it is refused before it is read.
const MAX_EVENT: usize = 6 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The HTTP API as an endpoint. It matches every request, so it must be the last endpoint.
#[derive(Clone)]
pub struct HttpApi {
    inner: Arc<Inner>,
}

struct Inner {
    kind: HttpApiKind,
    stage: String,
    stage_variables: BTreeMap<String, String>,
    account: Account,
    port: u16,
    router: Router,
    options: HttpApiOptions,
    cors: Option<Cors>,
    /// `Cors` of a REST API, whose OPTIONS method is its own.
    rest_cors: Option<CorsPlan>,
    authorizers: Authorizers,
    invoker: Arc<dyn Invoker>,
}

impl HttpApi {
    /// The API `api` of `plan`. `port` is the port of the listener, for the event's `x-forwarded-port`.
    #[must_use]
    pub fn new(
        plan: &Plan,
        api: &HttpApiPlan,
        port: u16,
        invoker: Arc<dyn Invoker>,
        options: HttpApiOptions,
    ) -> Self {
        let inner = Inner {
            kind: api.kind,
            stage: api.stage.clone(),
            stage_variables: api.stage_variables.clone(),
            account: plan.account.clone(),
            port,
            router: Router::new(&api.routes, options),
            options,
            cors: api.cors.as_ref().filter(|_| api.kind != HttpApiKind::Rest).map(Cors::new),
            rest_cors: api.cors.clone().filter(|_| api.kind == HttpApiKind::Rest),
            authorizers: Authorizers::new(&api.authorizers, Arc::clone(&invoker)),
            invoker,
        };
        Self { inner: Arc::new(inner) }
    }

    /// How well a route of this API fits a request: less is better. `None` when none matches.
    pub(crate) fn precedence(&self, head: &Parts) -> Option<impl Ord + use<>> {
        self.inner.find(head).map(|found| found.route.precedence())
    }
}

impl Endpoint for HttpApi {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Public
    }

    fn matches(&self, _head: &Parts) -> bool {
        true
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let origin = request.headers().get(ORIGIN).cloned();
            let request_id = gateway::random_id();
            let mut response = inner.respond(request, peer, &request_id).await;
            let is_preflight = response.extensions_mut().remove::<cors::Preflight>().is_some();
            if let Some(cors) = inner.cors.as_ref().filter(|_| !is_preflight) {
                cors.apply(origin.as_ref(), response.headers_mut());
            }
            if let Ok(id) = HeaderValue::try_from(request_id) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            response
        })
    }
}

impl Inner {
    async fn respond(&self, request: Request, peer: SocketAddr, request_id: &str) -> Response {
        let (head, body) = request.into_parts();
        if headers::head_bytes(&head) > MAX_HEAD {
            return message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
        }
        let found = self.find(&head);
        if let Some(preflight) = self.preflight(&head, found.as_ref()) {
            return preflight;
        }
        let Some(found) = found else { return failure::response(self.kind, Failure::NoRoute) };
        let now = Timestamp::now();
        let trace = gateway::trace_root(now);
        let path = path::decode(head.uri.path(), self.options);
        let mut meta = RequestMeta {
            path: &path,
            stage: &self.stage,
            account_id: &self.account.id,
            request_id,
            source_ip: peer.ip().to_canonical(),
            port: self.port,
            now,
            trace: &trace,
            stage_variables: &self.stage_variables,
            authorizer: None,
        };
        let authorizer = match self.authorize(&head, &found, &meta).await {
            Ok(authorizer) => authorizer,
            Err(refusal) => return failure::refusal(self.kind, &refusal),
        };
        meta.authorizer = authorizer.as_ref();
        let body = match body::read(&head.headers, body, MAX_EVENT).await {
            Ok(body) => body,
            Err(error) => return body_error(error),
        };
        let event = self.event(&head, &body.bytes, &found, &meta);
        // The event takes the place of the body, and counts towards the memory of all bodies while it exists.
        let _memory = body.memory;
        drop(body.bytes);
        if event.len() > MAX_EVENT {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        self.invoke(found.route, event).await
    }

    fn find(&self, head: &Parts) -> Option<RouteMatch<'_>> {
        self.router.find(head.method.as_str(), self.without_stage(head.uri.path())?)
    }

    /// A named stage is the first segment of the path; the stage `$default` is not part of the path. REST APIs
    /// are reached without their stage too, as through a custom domain.
    fn without_stage<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.stage == "$default" {
            return Some(path);
        }
        let rest = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(self.stage.as_str()));
        match rest {
            Some("") => Some("/"),
            Some(rest) if rest.starts_with('/') => Some(rest),
            _ => (self.kind == HttpApiKind::Rest).then_some(path),
        }
    }

    /// The gateway's own response to OPTIONS. With `CorsConfiguration`, only an OPTIONS request that is not a
    /// preflight and has a route of its own reaches a function.
    fn preflight(&self, head: &Parts, found: Option<&RouteMatch<'_>>) -> Option<Response> {
        if let (Some(cors), &Method::OPTIONS) = (&self.rest_cors, &head.method) {
            let has_own_method = found.is_some_and(|found| found.route.plan.method == "OPTIONS");
            return (!has_own_method).then(|| rest::preflight(cors));
        }
        let cors = self.cors.as_ref()?;
        let has_own_route = found.is_some_and(|found| !found.route.is_default());
        let is_for_gateway = Cors::is_preflight(head) || (head.method == Method::OPTIONS && !has_own_route);
        is_for_gateway.then(|| cors.preflight(&head.headers))
    }

    /// Asks the route's authorizer. Returns the value of `requestContext.authorizer`.
    async fn authorize(
        &self,
        head: &Parts,
        found: &RouteMatch<'_>,
        meta: &RequestMeta<'_>,
    ) -> Result<Option<Value>, Refusal> {
        let route = &found.route.plan;
        if route.authorizer.is_none() {
            return Ok(None);
        }
        let method = head.method.as_str();
        let path = self.without_stage(head.uri.path()).unwrap_or_default();
        let resource = format!("{API_ID}/{}/{method}{path}", self.stage);
        let event = |format: &str| {
            let event = match (self.kind, format) {
                (HttpApiKind::Rest, _) => rest::event(head, &Bytes::new(), found, meta, path),
                (_, "1.0") => event_v1::build(head, &Bytes::new(), found, meta),
                _ => event::build(head, &Bytes::new(), found, meta),
            };
            serde_json::from_slice(&event).unwrap_or_default()
        };
        let request = authorizer::Request {
            head,
            arn: self.account.arn("execute-api", &resource),
            event: &event,
            stage_variables: &self.stage_variables,
        };
        let identity = self.authorizers.decide(route.authorizer.as_ref(), &request).await?;
        let is_format_2 = self.kind != HttpApiKind::Rest && route.payload_format != "1.0";
        Ok(identity.map(|identity| if is_format_2 { identity.format_2() } else { identity.format_1() }))
    }

    fn event(&self, head: &Parts, body: &Bytes, found: &RouteMatch<'_>, meta: &RequestMeta<'_>) -> Vec<u8> {
        match (self.kind, found.route.plan.payload_format.as_str()) {
            (HttpApiKind::Rest, _) => {
                let path = self.without_stage(head.uri.path()).unwrap_or_default();
                rest::event(head, body, found, meta, path)
            }
            (_, "1.0") => event_v1::build(head, body, found, meta),
            _ => event::build(head, body, found, meta),
        }
    }

    /// Invokes the route's function within the route's timeout and converts its reply.
    async fn invoke(&self, route: &route::Route, event: Vec<u8>) -> Response {
        let function = &route.plan.function;
        let call = Invocation::new(function.as_str(), event);
        let request_id = call.request_id.clone();
        let payload = match timeout(route.plan.timeout, self.invoker.invoke(call)).await {
            Ok(Ok(payload)) => payload,
            Ok(Err(error @ InvokeError::Throttled)) => {
                tracing::warn!(function, request_id, route = route.key, %error, "function throttled");
                return failure::response(self.kind, Failure::Throttled);
            }
            Err(_) => {
                let timeout = route.plan.timeout;
                tracing::warn!(function, request_id, route = route.key, ?timeout, "route timed out");
                return failure::response(self.kind, Failure::TimedOut);
            }
            Ok(Err(error)) => {
                tracing::warn!(function, request_id, route = route.key, %error, "function failed");
                return failure::response(self.kind, Failure::Function);
            }
        };
        let reply = match (self.kind, route.plan.payload_format.as_str()) {
            (HttpApiKind::Rest, _) | (_, "1.0") => reply::read_v1(&payload),
            _ => reply::read(payload),
        };
        reply.unwrap_or_else(|error| {
            tracing::warn!(function, request_id, route = route.key, %error, "invalid reply of a function");
            failure::response(self.kind, Failure::Function)
        })
    }
}

fn body_error(error: BodyError) -> Response {
    match error {
        BodyError::TooLarge => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        BodyError::NoMemory => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        BodyError::TimedOut => message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        // The client has disconnected and does not receive this.
        BodyError::Incomplete => message(StatusCode::BAD_REQUEST, "Bad Request"),
    }
}
