//! The HTTP API trigger: request → route → event → function → answer, with API Gateway's limits and exact
//! error bodies. The pure steps live in the files below; sockets and hyper's server do not live here.

pub mod cors;
pub mod event;
pub mod event_v1;
mod hop;
pub mod reply;
pub mod route;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use tokio::time::timeout;

use self::cors::Cors;
use self::event::Surroundings;
use self::route::{Match, Router};
use crate::body::{self, BodyError};
use crate::ids;
use crate::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use crate::mount::{Mount, Request, Response, message};
use crate::plan::{HttpApiPlan, Plan};

/// The gateway's limit on a request's payload.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// The gateway's limit on request line and headers together.
const MAX_HEAD: usize = 10_240;
/// Lambda's limit on a synchronous event.
const MAX_EVENT: usize = 6 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The HTTP API on the port. It claims every request, so it is the last mount.
#[derive(Clone)]
pub struct HttpApi {
    inner: Arc<Inner>,
}

struct Inner {
    stage: String,
    account_id: String,
    port: u16,
    router: Router,
    cors: Option<Cors>,
    invoker: Arc<dyn Invoker>,
}

impl HttpApi {
    /// The API `api` of `plan`; `port` is the one clients reach.
    #[must_use]
    pub fn new(plan: &Plan, api: &HttpApiPlan, port: u16, invoker: Arc<dyn Invoker>) -> Self {
        let inner = Inner {
            stage: api.stage.clone(),
            account_id: plan.account.id.clone(),
            port,
            router: Router::new(&api.routes),
            cors: api.cors.as_ref().map(Cors::new),
            invoker,
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Mount for HttpApi {
    fn claims(&self, _head: &Parts) -> bool {
        true
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let origin = request.headers().get(ORIGIN).cloned();
            let request_id = ids::gateway_id();
            let mut response = inner.answer(request, peer, &request_id).await;
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
    async fn answer(&self, request: Request, peer: SocketAddr, request_id: &str) -> Response {
        let (head, body) = request.into_parts();
        if hop::head_bytes(&head) > MAX_HEAD {
            return message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
        }
        let found = self.find(&head);
        if let Some(preflight) = self.preflight(&head, found.as_ref()) {
            return preflight;
        }
        let Some(found) = found else { return message(StatusCode::NOT_FOUND, "Not Found") };
        let body = match body::read(&head.headers, body, MAX_BODY).await {
            Ok(body) => body,
            Err(error) => return refuse_body(error),
        };
        let event = self.event(&head, &body, &found, peer, request_id);
        drop(body);
        if event.len() > MAX_EVENT {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        }
        self.call(found.route, event).await
    }

    fn find(&self, head: &Parts) -> Option<Match<'_>> {
        self.router.find(head.method.as_str(), self.without_stage(head.uri.path())?)
    }

    /// A named stage is the first segment of the path; `$default` adds none.
    fn without_stage<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.stage == "$default" {
            return Some(path);
        }
        match path.strip_prefix('/')?.strip_prefix(self.stage.as_str())? {
            "" => Some("/"),
            rest => rest.starts_with('/').then_some(rest),
        }
    }

    /// With `CorsConfiguration` the gateway answers OPTIONS itself; only a route of its own for a plain
    /// OPTIONS (no preflight) still reaches a function.
    fn preflight(&self, head: &Parts, found: Option<&Match<'_>>) -> Option<Response> {
        let cors = self.cors.as_ref()?;
        let own_route = found.is_some_and(|found| !found.route.is_default());
        let is_ours = Cors::is_preflight(head) || (head.method == Method::OPTIONS && !own_route);
        is_ours.then(|| cors.preflight(&head.headers))
    }

    fn event(
        &self,
        head: &Parts,
        body: &Bytes,
        found: &Match<'_>,
        peer: SocketAddr,
        request_id: &str,
    ) -> Vec<u8> {
        let now = Timestamp::now();
        let around = Surroundings {
            stage: &self.stage,
            account_id: &self.account_id,
            request_id,
            source_ip: peer.ip().to_canonical(),
            port: self.port,
            now,
            trace: &ids::trace_root(now.as_second().unsigned_abs()),
        };
        match found.route.plan.payload_format.as_str() {
            "1.0" => event_v1::build(head, body, found, &around),
            _ => event::build(head, body, found, &around),
        }
    }

    /// Invokes within the integration's timeout and reads the reply.
    async fn call(&self, route: &route::Route, event: Vec<u8>) -> Response {
        let function = &route.plan.function;
        let call = Invocation::new(function.as_str(), event);
        let request_id = call.request_id.clone();
        let payload = match timeout(route.plan.timeout, self.invoker.invoke(call)).await {
            Ok(Ok(payload)) => payload,
            Ok(Err(InvokeError::Throttled)) | Err(_) => {
                tracing::warn!(
                    function,
                    request_id,
                    route = route.key,
                    "throttled, or too late for the route"
                );
                return message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
            }
            Ok(Err(error)) => {
                tracing::warn!(function, request_id, %error, "the function failed");
                return internal_error();
            }
        };
        let reply = match route.plan.payload_format.as_str() {
            "1.0" => reply::read_v1(&payload),
            _ => reply::read(payload),
        };
        reply.unwrap_or_else(|error| {
            tracing::warn!(function, request_id, %error, "the function's reply has a bad shape");
            internal_error()
        })
    }
}

fn internal_error() -> Response {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn refuse_body(error: BodyError) -> Response {
    match error {
        BodyError::TooLarge => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        BodyError::Slow => message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        // Nobody is there to read this.
        BodyError::Broken => message(StatusCode::BAD_REQUEST, "Bad Request"),
    }
}
