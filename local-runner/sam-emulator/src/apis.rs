//! Several APIs on one port. Below its own prefix (`/_api/<logical id>`) every API is reached as if it were
//! alone; without a prefix a request goes to the API whose route fits it best.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::uri::{PathAndQuery, Uri};

use crate::endpoint::{Audience, Endpoint, Request, Response};
use crate::http_api::HttpApi;
use crate::invoke::BoxFuture;
use crate::websocket::WebSocketApi;

/// One endpoint below the prefix of its API. It sees the rest of the path.
pub(crate) struct Prefixed {
    prefix: String,
    endpoint: Arc<dyn Endpoint>,
}

impl Prefixed {
    /// The endpoint is closed by its other owner.
    pub(crate) fn new(prefix: String, endpoint: Arc<dyn Endpoint>) -> Self {
        Self { prefix, endpoint }
    }

    /// The URI behind the prefix; `None` when it has another path.
    fn rest(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path_and_query()?.as_str().strip_prefix(&self.prefix)?;
        let path = match rest.as_bytes().first() {
            None | Some(b'?') => format!("/{rest}"),
            Some(b'/') => rest.to_owned(),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl Endpoint for Prefixed {
    fn audience(&self) -> Audience {
        self.endpoint.audience()
    }

    fn matches(&self, head: &Parts) -> bool {
        let Some(uri) = self.rest(&head.uri) else { return false };
        let mut inner = head.clone();
        inner.uri = uri;
        self.endpoint.matches(&inner)
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let (mut head, body) = request.into_parts();
        match self.rest(&head.uri) {
            Some(uri) => {
                head.uri = uri;
                self.endpoint.serve(Request::from_parts(head, body), peer)
            }
            None => Box::pin(std::future::ready(crate::endpoint::empty(http::StatusCode::NOT_FOUND))),
        }
    }
}

/// All HTTP APIs, REST APIs and function URLs at the root. They match every request, so they must be last.
pub(crate) struct HttpApis(pub(crate) Vec<HttpApi>);

impl Endpoint for HttpApis {
    fn audience(&self) -> Audience {
        Audience::Public
    }

    fn matches(&self, _head: &Parts) -> bool {
        !self.0.is_empty()
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let (head, body) = request.into_parts();
        let fits = self.0.iter().filter_map(|api| Some((api.precedence(&head)?, api)));
        let best = fits.min_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, api)| api);
        // Without a route, the first API refuses the request.
        match best.or(self.0.first()) {
            Some(api) => api.serve(Request::from_parts(head, body), peer),
            None => Box::pin(std::future::ready(crate::endpoint::empty(http::StatusCode::NOT_FOUND))),
        }
    }
}

/// All WebSocket APIs at the root. They match every upgrade request, so they must come before the HTTP APIs.
pub(crate) struct WebSocketApis(pub(crate) Vec<WebSocketApi>);

impl Endpoint for WebSocketApis {
    fn audience(&self) -> Audience {
        Audience::WebSocket
    }

    fn matches(&self, head: &Parts) -> bool {
        self.0.iter().any(|api| api.matches(head))
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let path = request.uri().path();
        match self.0.iter().find(|api| api.has_path(path)).or(self.0.first()) {
            Some(api) => api.serve(request, peer),
            None => Box::pin(std::future::ready(crate::endpoint::empty(http::StatusCode::NOT_FOUND))),
        }
    }

    fn close(&self) -> BoxFuture<()> {
        let waits: Vec<_> = self.0.iter().map(Endpoint::close).collect();
        Box::pin(async move {
            futures::future::join_all(waits).await;
        })
    }
}
