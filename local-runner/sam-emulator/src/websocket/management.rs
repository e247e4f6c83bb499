//! `@connections` on the port: what `aws-sdk-apigatewaymanagement` sends and expects (contract §4.5). Any
//! signature is accepted.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use serde_json::json;

use uuid::Uuid;

use super::connections::{Connections, Gone, PostError};
use super::options::MAX_MESSAGE;
use crate::body::{self, BodyError};
use crate::invoke::BoxFuture;
use crate::mount::{self, Mount, Request, Response};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Longer than any connection id.
const MAX_ID: usize = 128;

/// The management API as a mount.
#[derive(Debug, Clone)]
pub struct ConnectionsApi {
    connections: Connections,
}

impl ConnectionsApi {
    /// The API over these connections.
    #[must_use]
    pub fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

impl Mount for ConnectionsApi {
    fn claims(&self, head: &Parts) -> bool {
        target(head.uri.path()).is_some()
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let connections = self.connections.clone();
        Box::pin(async move {
            let mut response = answer(&connections, request).await.unwrap_or_else(Refusal::into_response);
            if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            response
        })
    }
}

/// What follows `/@connections` on a path, behind one segment (a stage, a mapping key) or none.
fn target(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    let after = |path: &str| {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let is_ours = percent_decode_str(first).decode_utf8_lossy() == "@connections";
        (is_ours, path.len() - rest.len())
    };
    let (is_ours, start) = after(path);
    if is_ours {
        return Some(&path[start..]);
    }
    let rest = &path[start..];
    let (is_ours, start) = after(rest);
    is_ours.then(|| &rest[start..])
}

/// The id as it was given out: non-empty base64 in either alphabet.
fn connection_id(target: &str) -> Result<Cow<'_, str>, Refusal> {
    let id = percent_decode_str(target).decode_utf8_lossy();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    if id.is_empty() {
        return Err(Refusal::NoOperation);
    }
    // A slash that is part of an id comes escaped.
    if id.len() > MAX_ID || target.contains('/') || !id.bytes().all(is_letter) {
        return Err(Refusal::InvalidId(id.chars().take(MAX_ID).collect()));
    }
    Ok(id)
}

async fn answer(connections: &Connections, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let id = connection_id(target(head.uri.path()).unwrap_or_default())?;
    match head.method {
        Method::POST => {
            let data = body::read(&head.headers, body, MAX_MESSAGE).await.map_err(|error| match error {
                BodyError::TooLarge => Refusal::Post(PostError::TooLarge),
                BodyError::Slow | BodyError::Broken => Refusal::Incomplete,
            })?;
            connections.post(&id, data).await?;
            Ok(empty(StatusCode::OK))
        }
        Method::GET => {
            let description = connections.get(&id).await?;
            Ok(mount::json(StatusCode::OK, json!(description).to_string()))
        }
        Method::DELETE => {
            connections.delete(&id).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::NoOperation),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// Why an operation was not done. The type goes into a header, where the SDK looks first.
#[derive(Debug)]
enum Refusal {
    Post(PostError),
    InvalidId(String),
    Incomplete,
    NoOperation,
}

impl From<PostError> for Refusal {
    fn from(error: PostError) -> Self {
        Self::Post(error)
    }
}

impl From<Gone> for Refusal {
    fn from(_: Gone) -> Self {
        Self::Post(PostError::Gone)
    }
}

impl Refusal {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            // AWS answers this one without a body.
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
            Self::Incomplete => {
                (StatusCode::BAD_REQUEST, "BadRequestException", "the body ended early".to_owned())
            }
            Self::NoOperation => (StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden".to_owned()),
        };
        let mut response = match message.as_str() {
            "" => empty(status),
            text => mount::json(status, json!({ "message": text }).to_string()),
        };
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
        response
    }
}
