//! How a trigger sits on the runner's one port: it claims requests by their head and answers them.
//! The server tries mounts in order and knows nothing else about them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;

use crate::invoke::BoxFuture;

/// A request as hyper gives it: the body is still on the wire, `on_upgrade` still works.
pub type Request = http::Request<Incoming>;

/// An answer whose body is whole.
pub type Response = http::Response<Full<Bytes>>;

/// One trigger on the port: the HTTP API, the WebSocket API, `@connections`, the Invoke API.
pub trait Mount: Send + Sync + 'static {
    /// Whether this request is the mount's own. Cheap: it runs for every request, before the body is read.
    fn claims(&self, head: &Parts) -> bool;

    /// Answers a claimed request. For a WebSocket, the mount takes `hyper::upgrade::on(&mut request)`,
    /// answers 101 and carries on in a task of its own.
    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response>;

    /// Called once, when the server has stopped accepting: closes what outlives a request (WebSockets).
    /// The server waits for it within its drain bound. The default does nothing.
    fn close(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
}

/// The gateway's own words: `{"message":"…"}` with the given status.
#[must_use]
pub fn message(status: StatusCode, text: &str) -> Response {
    json(status, format!("{{\"message\":\"{text}\"}}"))
}

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
