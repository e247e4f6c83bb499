//! Lambda's Invoke API on the port: `POST /2015-03-31/functions/{name}/invocations` and its two sisters (Lambda
//! guide, `API_Invoke`), with the status codes, headers and error bodies that the AWS SDKs expect.

mod error;
mod event_stream;
pub mod name;
mod operation;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use self::error::ServiceError;
use self::event_stream::InvokeComplete;
use self::operation::Operation;
use crate::body::{self, BodyError};
use crate::endpoint::{Audience, Endpoint, Request, Response, empty, json};
use crate::invoke::asynchronous::AsyncInvoker;
use crate::invoke::{BoxFuture, Invocation, InvokeError, Invoker, LogTail};
use crate::plan::{Account, Plan};

/// Bytes of payload of `RequestResponse`.
const MAX_SYNC_PAYLOAD: usize = 6 * 1024 * 1024;
/// Bytes of payload of `Event`.
const MAX_ASYNC_PAYLOAD: usize = 1024 * 1024;

/// Bytes of `X-Amz-Client-Context`, in base64 (Lambda API reference, `Invoke`).
const MAX_CLIENT_CONTEXT: usize = 3583;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");

/// The Invoke API as an endpoint. It matches every path of Lambda's API, so that what the emulator does not
/// have is answered with Lambda's error.
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
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        operation::is_lambda_path(head.uri.path())
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
        let (operation, name) = operation::of(&head).ok_or(ServiceError::NoSuchOperation)?;
        let function = self.function(&head, name)?;
        let kind = invocation_type(operation, &head.headers)?;
        if kind == InvocationType::DryRun {
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let limit = if kind == InvocationType::Event { MAX_ASYNC_PAYLOAD } else { MAX_SYNC_PAYLOAD };
        let client_context = client_context(&head.headers)?;
        let body = body::read(&head.headers, body, limit).await.map_err(|error| body_error(error, limit))?;
        let log_tail = head.headers.get(LOG_TYPE).filter(|kind| *kind == "Tail").map(|_| LogTail::default());
        let mut call = Invocation {
            function,
            request_id: request_id.to_owned(),
            payload: check_json(body.bytes)?,
            client_context,
            log_tail: log_tail.clone(),
        };
        if kind == InvocationType::Event {
            // Lambda passes the context of synchronous invocations only.
            call.client_context = None;
            self.asynchronous.enqueue(call);
            return Ok(empty(StatusCode::ACCEPTED));
        }
        let result = self.invoker.invoke(call).await;
        drop(body.memory);
        let outcome = match result {
            Ok(payload) => Ok(payload),
            Err(InvokeError::Throttled) => return Err(ServiceError::Throttled),
            Err(InvokeError::NotFound(name)) => return Err(self.not_found(&name, name::LATEST)),
            Err(error @ InvokeError::Function { .. }) => Err(error.function_payload().unwrap_or_default()),
        };
        let log = log_tail.map(|tail| tail.base64());
        Ok(match operation {
            Operation::InvokeWithResponseStream => streamed(outcome, log),
            Operation::Invoke | Operation::InvokeAsync => executed(outcome, log),
        })
    }

    /// The function that the path segment `given` names, if the template has it.
    fn function(&self, head: &Parts, given: &str) -> Result<String, ServiceError> {
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

/// `X-Amz-Client-Context`, decoded: base64 of JSON.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, ServiceError> {
    let Some(given) = headers.get(CLIENT_CONTEXT) else { return Ok(None) };
    let decoded = Some(given.as_bytes()).filter(|given| given.len() <= MAX_CLIENT_CONTEXT);
    let decoded = decoded.and_then(|given| String::from_utf8(STANDARD.decode(given).ok()?).ok());
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    decoded.filter(is_json).map(Some).ok_or(ServiceError::InvalidClientContext)
}

fn invocation_type(operation: Operation, headers: &HeaderMap) -> Result<InvocationType, ServiceError> {
    if operation == Operation::InvokeAsync {
        return Ok(InvocationType::Event);
    }
    let Some(given) = headers.get(INVOCATION_TYPE) else { return Ok(InvocationType::RequestResponse) };
    match given.as_bytes() {
        b"RequestResponse" => Ok(InvocationType::RequestResponse),
        b"Event" if operation == Operation::Invoke => Ok(InvocationType::Event),
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

/// The response to an invocation, whose outcome is a payload or the payload of an error. The status is 200
/// either way: the invocation itself worked.
fn executed(outcome: Result<Bytes, Bytes>, log: Option<String>) -> Response {
    let has_failed = outcome.is_err();
    let payload = outcome.unwrap_or_else(|error| error);
    // As on Lambda, a function without a return value returns null.
    let payload = if payload.is_empty() { Bytes::from_static(b"null") } else { payload };
    let mut response = json(StatusCode::OK, payload);
    let headers = response.headers_mut();
    headers.insert(EXECUTED_VERSION, HeaderValue::from_static(name::LATEST));
    if has_failed {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    if let Some(Ok(log)) = log.map(HeaderValue::try_from) {
        headers.insert(LOG_RESULT, log);
    }
    response
}

/// The same as a stream of events. The error of a function is in the last one.
fn streamed(outcome: Result<Bytes, Bytes>, log_result: Option<String>) -> Response {
    let mut complete = InvokeComplete { log_result, ..InvokeComplete::default() };
    let payload = outcome.unwrap_or_else(|error| {
        complete.error_code = Some("Unhandled");
        complete.error_details = Some(String::from_utf8_lossy(&error).into_owned());
        Bytes::new()
    });
    let mut response = json(StatusCode::OK, event_stream::encode(&payload, &complete));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(event_stream::CONTENT_TYPE));
    headers.insert(EXECUTED_VERSION, HeaderValue::from_static(name::LATEST));
    response
}
