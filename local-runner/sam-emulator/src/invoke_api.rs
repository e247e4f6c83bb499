//! Lambda's Invoke API on the port: `POST /2015-03-31/functions/{name}/invocations` (Lambda guide,
//! `API_Invoke`), with the status codes, headers and error bodies that the AWS SDKs expect.

mod error;
pub mod name;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use uuid::Uuid;

use self::error::ServiceError;
use crate::body::{self, BodyError};
use crate::endpoint::{Audience, Endpoint, Request, Response, empty, json};
use crate::invoke::asynchronous::AsyncInvoker;
use crate::invoke::{BoxFuture, Invocation, InvokeError, Invoker, LogTail};
use crate::plan::{Account, Plan};

/// Bytes of payload of `RequestResponse`.
const MAX_SYNC_PAYLOAD: usize = 6 * 1024 * 1024;
/// Bytes of payload of `Event`.
const MAX_ASYNC_PAYLOAD: usize = 1024 * 1024;

const PREFIX: &str = "/2015-03-31/";
const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");

/// The Invoke API as an endpoint. It matches every path below `/2015-03-31/`.
#[derive(Clone)]
pub struct InvokeApi {
    inner: Arc<Inner>,
}

struct Inner {
    account: Account,
    functions: BTreeSet<String>,
    invoker: Arc<dyn Invoker>,
    asynchronous: AsyncInvoker,
}

impl InvokeApi {
    /// The API for the functions of `plan`: `invoker` runs synchronous calls, `asynchronous` takes events.
    #[must_use]
    pub fn new(plan: &Plan, invoker: Arc<dyn Invoker>, asynchronous: AsyncInvoker) -> Self {
        let functions = plan.functions.keys().cloned().collect();
        Self { inner: Arc::new(Inner { account: plan.account.clone(), functions, invoker, asynchronous }) }
    }
}

impl Endpoint for InvokeApi {
    fn audience(&self) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        head.uri.path().starts_with(PREFIX)
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let request_id = Uuid::new_v4().to_string();
            let result = inner.invoke(request, &request_id).await;
            let mut response = result.unwrap_or_else(ServiceError::into_response);
            if let Ok(id) = HeaderValue::try_from(request_id) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            response
        })
    }
}

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

impl Inner {
    async fn invoke(&self, request: Request, request_id: &str) -> Result<Response, ServiceError> {
        let (head, body) = request.into_parts();
        let function = self.function(&head)?;
        let kind = invocation_type(&head.headers)?;
        if kind == InvocationType::DryRun {
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let limit = if kind == InvocationType::Event { MAX_ASYNC_PAYLOAD } else { MAX_SYNC_PAYLOAD };
        let payload =
            body::read(&head.headers, body, limit).await.map_err(|error| body_error(error, limit))?;
        let payload_memory = payload.memory;
        let payload = check_json(payload.bytes)?;
        let log_tail = head.headers.get(LOG_TYPE).filter(|kind| *kind == "Tail").map(|_| LogTail::default());
        let call = Invocation {
            function,
            request_id: request_id.to_owned(),
            payload,
            client_context: client_context(&head.headers),
            log_tail: log_tail.clone(),
        };
        if kind == InvocationType::Event {
            self.asynchronous.enqueue(call);
            return Ok(empty(StatusCode::ACCEPTED));
        }
        let result = self.invoker.invoke(call).await;
        drop(payload_memory);
        let mut response = match result {
            Ok(payload) => executed(payload),
            Err(InvokeError::Throttled) => return Err(ServiceError::Throttled),
            Err(InvokeError::NotFound(name)) => return Err(self.not_found(&name, name::LATEST)),
            Err(error @ InvokeError::Function { .. }) => {
                function_error(error.function_payload().unwrap_or_default())
            }
        };
        if let Some(Ok(log)) = log_tail.map(|tail| HeaderValue::try_from(tail.base64())) {
            response.headers_mut().insert(LOG_RESULT, log);
        }
        Ok(response)
    }

    /// The name of the function that the path names, if the template has it.
    fn function(&self, head: &Parts) -> Result<String, ServiceError> {
        let path = head.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix("functions/"));
        let Some(given) = path.and_then(|rest| rest.strip_suffix("/invocations")) else {
            return Err(ServiceError::NoSuchOperation);
        };
        if head.method != Method::POST {
            return Err(ServiceError::NoSuchOperation);
        }
        let query = head.uri.query().unwrap_or_default();
        let name = name::parse(given, query).ok_or_else(|| ServiceError::InvalidName(given.to_owned()))?;
        if name.qualifier == name::LATEST && self.functions.contains(&name.function) {
            return Ok(name.function);
        }
        Err(self.not_found(&name.function, &name.qualifier))
    }

    fn not_found(&self, name: &str, qualifier: &str) -> ServiceError {
        ServiceError::NotFound(format!("{}:{qualifier}", self.account.function_arn(name)))
    }
}

/// `X-Amz-Client-Context`, which is base64 of JSON. A value that is not is dropped.
fn client_context(headers: &HeaderMap) -> Option<String> {
    let decoded = STANDARD.decode(headers.get(CLIENT_CONTEXT)?.as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).ok().map(|_| text)
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, ServiceError> {
    let Some(given) = headers.get(INVOCATION_TYPE) else { return Ok(InvocationType::RequestResponse) };
    match given.as_bytes() {
        b"RequestResponse" => Ok(InvocationType::RequestResponse),
        b"Event" => Ok(InvocationType::Event),
        b"DryRun" => Ok(InvocationType::DryRun),
        other => Err(ServiceError::InvalidType(String::from_utf8_lossy(other).into_owned())),
    }
}

/// The payload, if it is JSON; an empty payload becomes an empty object.
fn check_json(payload: Bytes) -> Result<Bytes, ServiceError> {
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(ServiceError::NotJson(error.to_string())),
    }
}

fn body_error(error: BodyError, limit: usize) -> ServiceError {
    match error {
        BodyError::TooLarge => ServiceError::TooLarge(limit),
        BodyError::NoMemory => ServiceError::Throttled,
        BodyError::TimedOut | BodyError::Incomplete => {
            ServiceError::NotJson("the body ended early".to_owned())
        }
    }
}

fn executed(payload: Bytes) -> Response {
    // As on Lambda, a function without a return value returns null.
    let payload = if payload.is_empty() { Bytes::from_static(b"null") } else { payload };
    let mut response = json(StatusCode::OK, payload);
    response.headers_mut().insert(EXECUTED_VERSION, HeaderValue::from_static(name::LATEST));
    response
}

/// The status is 200: the invocation itself worked.
fn function_error(payload: Bytes) -> Response {
    let mut response = executed(payload);
    response.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    response
}
