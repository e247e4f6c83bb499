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

/// One API below its prefix. Its endpoints see the rest of the path.
pub(crate) struct Prefixed {
    prefix: String,
    endpoints: Vec<Arc<dyn Endpoint>>,
}

impl Prefixed {
    /// `endpoints` in the order in which they are asked. Their other owner closes them.
    pub(crate) fn new(prefix: String, endpoints: Vec<Arc<dyn Endpoint>>) -> Self {
        Self { prefix, endpoints }
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

    /// The endpoint that serves the request, and the request's URI for it.
    fn find(&self, head: &Parts) -> Option<(&Arc<dyn Endpoint>, Uri)> {
        let uri = self.rest(&head.uri)?;
        let mut inner = head.clone();
        inner.uri = uri.clone();
        self.endpoints.iter().find(|endpoint| endpoint.matches(&inner)).map(|endpoint| (endpoint, uri))
    }
}

impl Endpoint for Prefixed {
    fn audience(&self, head: &Parts) -> Audience {
        // Without a match there is nothing to protect; the strictest answer is never wrong.
        let inner = |(endpoint, uri): (&Arc<dyn Endpoint>, Uri)| {
            let mut inner = head.clone();
            inner.uri = uri;
            endpoint.audience(&inner)
        };
        self.find(head).map_or(Audience::Management, inner)
    }

    fn matches(&self, head: &Parts) -> bool {
        head.uri.path().starts_with(&self.prefix) && self.find(head).is_some()
    }

    fn serve(&self, request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let (mut head, body) = request.into_parts();
        match self.find(&head) {
            Some((endpoint, uri)) => {
                head.uri = uri;
                endpoint.serve(Request::from_parts(head, body), peer)
            }
            None => Box::pin(std::future::ready(crate::endpoint::empty(http::StatusCode::NOT_FOUND))),
        }
    }
}

/// All HTTP APIs, REST APIs and function URLs at the root. They match every request, so they must be last.
pub(crate) struct HttpApis(pub(crate) Vec<HttpApi>);

impl Endpoint for HttpApis {
    fn audience(&self, _head: &Parts) -> Audience {
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
    fn audience(&self, _head: &Parts) -> Audience {
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
