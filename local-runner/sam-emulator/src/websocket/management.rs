//! `@connections` on the port: what `aws-sdk-apigatewaymanagement` sends and expects (API Gateway guide,
//! `apigateway-how-to-call-websocket-api-connections`). Signatures are not checked.

use std::borrow::Cow;
use std::net::SocketAddr;

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;
use uuid::Uuid;

use super::connections::{Connections, Gone, PostError};
use super::options::MAX_MESSAGE;
use crate::body::{self, BodyError};
use crate::endpoint::{self, Audience, Endpoint, Request, Response, empty};
use crate::invoke::BoxFuture;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Bytes of an id; real ids are shorter.
const MAX_ID: usize = 128;

/// The management API as an endpoint. It matches `/@connections/…`, with or without a stage before it.
#[derive(Debug, Clone)]
pub struct ConnectionsApi {
    connections: Connections,
}

impl ConnectionsApi {
    /// The API for these connections.
    #[must_use]
    pub fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

impl Endpoint for ConnectionsApi {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        target(head.uri.path()).is_some()
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let connections = self.connections.clone();
        Box::pin(async move {
            let mut response = respond(&connections, request).await.unwrap_or_else(ApiError::into_response);
            if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            response
        })
    }
}

/// The rest of a path after `@connections/`, which is its first or second segment; the first may be a stage
/// or a mapping key.
fn target(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    after_connections(path).or_else(|| after_connections(path.split_once('/')?.1))
}

/// The rest of a path whose first segment is `@connections`, percent-encoded or not.
fn after_connections(path: &str) -> Option<&str> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    (percent_decode_str(first).decode_utf8_lossy() == "@connections").then_some(rest)
}

/// The decoded connection id: base64 in either alphabet, not empty.
fn connection_id(target: &str) -> Result<Cow<'_, str>, ApiError> {
    let id = percent_decode_str(target).decode_utf8_lossy();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    if id.is_empty() {
        return Err(ApiError::NoSuchOperation);
    }
    // A slash inside an id must be percent-encoded.
    if id.len() > MAX_ID || target.contains('/') || !id.bytes().all(is_allowed) {
        return Err(ApiError::InvalidId(id.chars().take(MAX_ID).collect()));
    }
    Ok(id)
}

async fn respond(connections: &Connections, request: Request) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let id = connection_id(target(head.uri.path()).unwrap_or_default())?;
    match head.method {
        Method::POST => {
            let data = body::read(&head.headers, body, MAX_MESSAGE).await.map_err(|error| match error {
                BodyError::TooLarge => ApiError::Post(PostError::TooLarge),
                BodyError::NoMemory => ApiError::Post(PostError::LimitExceeded),
                BodyError::TimedOut | BodyError::Incomplete => ApiError::IncompleteBody,
            })?;
            connections.post(&id, data.bytes).await?;
            Ok(empty(StatusCode::OK))
        }
        Method::GET => {
            let info = connections.get(&id).await?;
            Ok(endpoint::json(StatusCode::OK, json!(info).to_string()))
        }
        Method::DELETE => {
            connections.delete(&id).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ApiError::NoSuchOperation),
    }
}

/// Why an operation failed. The exception's name goes into a header, which the SDK reads first.
#[derive(Debug)]
enum ApiError {
    Post(PostError),
    /// The path has this text as its id.
    InvalidId(String),
    IncompleteBody,
    NoSuchOperation,
}

impl From<PostError> for ApiError {
    fn from(error: PostError) -> Self {
        Self::Post(error)
    }
}

impl From<Gone> for ApiError {
    fn from(_: Gone) -> Self {
        Self::Post(PostError::Gone)
    }
}

impl ApiError {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            // AWS sends no body with this one.
            Self::Post(PostError::Gone) => (StatusCode::GONE, "GoneException", String::new()),
            Self::Post(error @ PostError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", error.to_string())
            }
            Self::Post(error @ PostError::LimitExceeded) => {
                (StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", error.to_string())
            }
            Self::InvalidId(id) => {
                (StatusCode::BAD_REQUEST, "BadRequestException", format!("Invalid connectionId: {id}"))
            }
            Self::IncompleteBody => {
                (StatusCode::BAD_REQUEST, "BadRequestException", "the body ended early".to_owned())
            }
            Self::NoSuchOperation => (StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden".to_owned()),
        };
        let mut response = match message.as_str() {
            "" => empty(status),
            text => endpoint::json(status, json!({ "message": text }).to_string()),
        };
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
        response
    }
}
