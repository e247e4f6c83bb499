//! The WebSocket API trigger (API Gateway guide, `apigateway-websocket-api`): `$connect` before the 101
//! response, one task per connection, `$disconnect` exactly once, and `@connections`.
//!
//! In the order of reading: `options`, `event` (the functions' input), `selection` and `routes`
//! (which function), `handshake` and `connect` (the upgrade), `connection` and `connections` (the
//! open ones), `wire`, `timeouts` and `session` (the life of one), `close_reason`, `management`
//! (`@connections`).

pub mod close_reason;
mod connect;
mod connection;
pub mod connections;
pub mod event;
mod handshake;
pub mod management;
pub mod options;
mod rate_limiter;
mod reply;
mod routes;
pub mod selection;
mod session;
mod timeouts;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::HeaderValue;
use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

pub use self::close_reason::CloseReason;
use self::connect::Decision;
pub use self::connections::{Connections, Gone, PostError};
use self::event::ConnectionMeta;
pub use self::management::ConnectionsApi;
pub use self::options::WebSocketOptions;
use self::rate_limiter::RateLimiter;
use self::routes::Routes;
use self::selection::SelectionError;
use self::session::PendingMessages;
use crate::endpoint::{Audience, Endpoint, Request, Response, message};
use crate::gateway;
use crate::invoke::{BoxFuture, Invoker};
use crate::plan::{Plan, WebSocketPlan};

/// Time for a client to take the 101 response.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The WebSocket API as an endpoint. It matches every upgrade request, so it must come before the HTTP API.
#[derive(Clone)]
pub struct WebSocketApi {
    inner: Arc<Inner>,
}

struct Inner {
    /// The first path segments of this API: the stage and the mapping keys.
    keys: Vec<String>,
    port: u16,
    rate_limiter: Option<RateLimiter>,
    connections: Connections,
    routes: Arc<Routes>,
    sessions: TaskTracker,
}

impl WebSocketApi {
    /// The API `api` of `plan`, which adds its open connections to `connections`. `port` is the port of the listener,
    /// for the event's `X-Forwarded-Port`.
    ///
    /// # Errors
    /// [`SelectionError`] when the route selection expression is not valid.
    pub fn new(
        plan: &Plan,
        api: &WebSocketPlan,
        connections: Connections,
        port: u16,
        invoker: Arc<dyn Invoker>,
    ) -> Result<Self, SelectionError> {
        let options = connections.options();
        let keys = std::iter::once(&api.stage).chain(&options.mapping_keys).cloned().collect();
        let inner = Inner {
            keys,
            port,
            rate_limiter: options.connects_per_second.map(RateLimiter::new),
            routes: Arc::new(Routes::new(plan, api, invoker)?),
            connections,
            sessions: TaskTracker::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the path is that of this API.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.inner.has_path(path)
    }
}

impl Endpoint for WebSocketApi {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::WebSocket
    }

    fn matches(&self, head: &Parts) -> bool {
        handshake::is_upgrade(head)
    }

    fn serve(&self, mut request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, _body) = request.into_parts();
        let key = match inner.check(&head) {
            Ok(key) => key,
            Err(response) => return Box::pin(std::future::ready(*response)),
        };
        // A task of its own, so that a client that disconnects does not stop `$connect`.
        let (response, received) = oneshot::channel();
        let sessions = inner.sessions.clone();
        sessions.spawn(inner.run_connection(head, key, peer, upgrade, response));
        Box::pin(async move {
            let failed = |_| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
            received.await.unwrap_or_else(failed)
        })
    }

    fn close(&self) -> BoxFuture<()> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            inner.connections.shut_down();
            inner.sessions.close();
            inner.sessions.wait().await;
        })
    }
}

impl Inner {
    /// The handshake's key, or the response that refuses the upgrade.
    fn check(&self, head: &Parts) -> Result<HeaderValue, Box<Response>> {
        if !self.has_path(head.uri.path()) {
            return Err(Box::new(message(StatusCode::FORBIDDEN, "Forbidden")));
        }
        let key = handshake::check(head)?;
        match &self.rate_limiter {
            Some(limiter) if !limiter.admits(Instant::now()) => {
                Err(Box::new(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")))
            }
            _ => Ok(key),
        }
    }

    /// Whether the path is `/{key}` or `/{key}/`. AWS refuses any further segment.
    fn has_path(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or(path);
        let segment = percent_decode_str(path.strip_suffix('/').unwrap_or(path)).decode_utf8_lossy();
        self.keys.iter().any(|key| *key == segment)
    }

    /// Runs one connection from `$connect` to `$disconnect`.
    async fn run_connection(
        self: Arc<Self>,
        head: Parts,
        key: HeaderValue,
        peer: SocketAddr,
        upgrade: OnUpgrade,
        response: oneshot::Sender<Response>,
    ) {
        let id = Arc::from(gateway::random_id());
        let mut meta = ConnectionMeta::of(&head, id, peer.ip().to_canonical(), Timestamp::now());
        // The stages are boxed, so that an idle connection does not hold the memory of all of them.
        let decision = Box::pin(self.routes.connect(&mut meta, &head, self.port)).await;
        drop(head);
        let protocol = match decision {
            Decision::Accept(protocol) => protocol,
            Decision::Refuse(refusal) => {
                let _ = response.send(refusal);
                return;
            }
        };
        let switching = handshake::switching_protocols(&key, protocol, &meta.id);
        // Opened before the 101 response is sent: a client that has received it may be posted to at once.
        let connection = self.connections.open(meta);
        let options = self.connections.options();
        let messages = PendingMessages::new(Arc::clone(&connection), Arc::clone(&self.routes), options);
        let upgraded = match response.send(switching) {
            Ok(()) => timeout(UPGRADE_TIMEOUT, upgrade).await.ok().and_then(Result::ok),
            Err(_) => None,
        };
        let (reason, messages) = match upgraded {
            Some(upgraded) => session::run(upgraded, messages, &self.connections).await,
            None => {
                self.connections.remove(&connection, &CloseReason::UpgradeIncomplete);
                (CloseReason::UpgradeIncomplete, messages)
            }
        };
        let (connection_id, code) = (&*connection.meta.id, reason.code());
        tracing::info!(connection_id, code, reason = reason.log_text(), "connection closed");
        Box::pin(messages.finish_all()).await;
        Box::pin(self.routes.disconnect(&connection.meta, &reason)).await;
    }
}
