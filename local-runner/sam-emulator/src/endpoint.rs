//! The interface between the server and the APIs on its port: an endpoint decides which requests are its own,
//! and answers them. The server asks the endpoints in order.

use std::net::SocketAddr;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http_body_util::Full;

pub use crate::body::RequestBody;
use crate::invoke::BoxFuture;

/// A request whose body is not read yet; `hyper::upgrade::on` still works.
pub type Request = http::Request<RequestBody>;

/// A response with its whole body.
pub type Response = http::Response<Full<Bytes>>;

/// Who an endpoint is for, which decides what the server checks before it passes a request on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every client, as on AWS.
    Public,
    /// Clients that open WebSockets.
    WebSocket,
    /// The developer: programs of this machine, and no web page of another origin.
    Management,
}

/// One API on the port: the HTTP API, the WebSocket API, `@connections`, the Invoke API.
pub trait Endpoint: Send + Sync + 'static {
    /// Who may send a request that matches. There is no default, so that every endpoint decides.
    fn audience(&self, head: &Parts) -> Audience;

    /// Whether this endpoint serves the request. Must be cheap: the server calls it for every request, before
    /// it reads the body.
    fn matches(&self, head: &Parts) -> bool;

    /// Answers a request that matches. For a WebSocket, the endpoint takes `hyper::upgrade::on(&mut
    /// request)`, answers 101 and continues in a task of its own.
    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response>;

    /// Closes what outlives a request, that is, WebSockets. The server calls it once, after it has stopped
    /// accepting, and waits for it up to its drain timeout. The default does nothing.
    fn close(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
}

/// A response with the body that API Gateway writes for its own errors: `{"message":"…"}`.
#[must_use]
pub fn message(status: StatusCode, text: &str) -> Response {
    json(status, format!("{{\"message\":\"{text}\"}}"))
}

/// A response of type `application/json`; `body` must be JSON already.
#[must_use]
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A response without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
