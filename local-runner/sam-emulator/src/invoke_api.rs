//! Lambda's Invoke API on the port: `POST /2015-03-31/functions/{name}/invocations` (contract §2), with the
//! SDK's exact status codes, headers and error bodies.

mod error;
pub mod name;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::Full;
use uuid::Uuid;

use self::error::ServiceError;
use crate::body::{self, BodyError};
use crate::invoke::asynchronous::AsyncInvoker;
use crate::invoke::{BoxFuture, FunctionError, Invocation, InvokeError, Invoker};
use crate::mount::{self, Mount, Request, Response};
use crate::plan::{Account, Plan};

/// Payload limit of `RequestResponse`.
const MAX_SYNC: usize = 6 * 1024 * 1024;
/// Payload limit of `Event`.
const MAX_ASYNC: usize = 1024 * 1024;

const PREFIX: &str = "/2015-03-31/";
const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");

/// The Invoke API as a mount.
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
    /// The API in front of the plan's functions.
    #[must_use]
    pub fn new(plan: &Plan, invoker: Arc<dyn Invoker>, asynchronous: AsyncInvoker) -> Self {
        let functions = plan.functions.keys().cloned().collect();
        Self { inner: Arc::new(Inner { account: plan.account.clone(), functions, invoker, asynchronous }) }
    }
}

impl Mount for InvokeApi {
    fn claims(&self, head: &Parts) -> bool {
        head.uri.path().starts_with(PREFIX)
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let request_id = Uuid::new_v4().to_string();
            let answer = inner.answer(request, &request_id).await;
            let mut response = answer.unwrap_or_else(ServiceError::into_response);
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
    async fn answer(&self, request: Request, request_id: &str) -> Result<Response, ServiceError> {
        let (head, body) = request.into_parts();
        let function = self.function(&head)?;
        let kind = invocation_type(&head.headers)?;
        if kind == InvocationType::DryRun {
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let limit = if kind == InvocationType::Event { MAX_ASYNC } else { MAX_SYNC };
        let payload = body::read(&head.headers, body, limit).await.map_err(|error| bad_body(error, limit))?;
        let payload = checked(payload)?;
        let call = Invocation { function, request_id: request_id.to_owned(), payload };
        if kind == InvocationType::Event {
            self.asynchronous.enqueue(call);
            return Ok(empty(StatusCode::ACCEPTED));
        }
        match self.invoker.invoke(call).await {
            Ok(payload) => Ok(executed(payload)),
            Err(InvokeError::Function { error_type, message }) => {
                Ok(function_error(&FunctionError { error_type, message }))
            }
            Err(InvokeError::Throttled) => Err(ServiceError::Throttled),
            Err(InvokeError::NotFound(name)) => Err(self.not_found(&name, name::LATEST)),
        }
    }

    /// The function that the path names, if it is there.
    fn function(&self, head: &Parts) -> Result<String, ServiceError> {
        let path = head.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix("functions/"));
        let Some(given) = path.and_then(|rest| rest.strip_suffix("/invocations")) else {
            return Err(ServiceError::NoSuchOperation);
        };
        if head.method != Method::POST {
            return Err(ServiceError::NoSuchOperation);
        }
        let query = head.uri.query().unwrap_or_default();
        let named = name::parse(given, query).ok_or_else(|| ServiceError::InvalidName(given.to_owned()))?;
        if named.qualifier == name::LATEST && self.functions.contains(&named.function) {
            return Ok(named.function);
        }
        Err(self.not_found(&named.function, &named.qualifier))
    }

    fn not_found(&self, name: &str, qualifier: &str) -> ServiceError {
        ServiceError::NotFound(format!("{}:{qualifier}", self.account.function_arn(name)))
    }
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

/// The payload, which must be JSON; none at all is an empty object.
fn checked(payload: Bytes) -> Result<Bytes, ServiceError> {
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(ServiceError::NotJson(error.to_string())),
    }
}

fn bad_body(error: BodyError, limit: usize) -> ServiceError {
    match error {
        BodyError::TooLarge => ServiceError::TooLarge(limit),
        BodyError::Slow | BodyError::Broken => ServiceError::NotJson("the body ended early".to_owned()),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn executed(payload: Bytes) -> Response {
    // A function that returns nothing returned null.
    let payload = if payload.is_empty() { Bytes::from_static(b"null") } else { payload };
    let mut response = mount::json(StatusCode::OK, payload);
    response.headers_mut().insert(EXECUTED_VERSION, HeaderValue::from_static(name::LATEST));
    response
}

/// The status stays 200: the service did its part.
fn function_error(error: &FunctionError) -> Response {
    let mut response = executed(error.payload().into());
    response.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    response
}
