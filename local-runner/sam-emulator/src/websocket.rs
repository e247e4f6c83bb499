//! The WebSocket API trigger: `$connect` before the 101, one task per connection, `$disconnect` exactly once,
//! and `@connections` (contract §4). The pure steps are `event`, `selection`, `reply` and `connect`.
//!
//! [`Connections`] comes first: functions push through it, and the two mounts are built on it.

mod clock;
pub mod connect;
pub mod connections;
pub mod end;
pub mod event;
mod handshake;
mod header_case;
pub mod management;
pub mod options;
mod peer;
mod rate;
pub mod reply;
mod routes;
pub mod selection;
mod session;
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

use self::connect::Decision;
pub use self::connections::{Connections, Gone, PostError};
use self::end::End;
use self::event::Origin;
pub use self::management::ConnectionsApi;
pub use self::options::Options;
use self::rate::Rate;
use self::routes::Routes;
use self::selection::SelectionError;
use self::session::Calls;
use crate::ids;
use crate::invoke::{BoxFuture, Invoker};
use crate::mount::{Mount, Request, Response, message};
use crate::plan::WebSocketPlan;

/// How long a client may take to take the 101.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(10);

/// The WebSocket API on the port. It claims every upgrade, so it comes before the HTTP API.
#[derive(Clone)]
pub struct WebSocketApi {
    inner: Arc<Inner>,
}

struct Inner {
    /// First path segments that lead here: the stage, then the mapping keys.
    keys: Vec<String>,
    port: u16,
    rate: Option<Rate>,
    connections: Connections,
    routes: Arc<Routes>,
    sessions: TaskTracker,
}

impl WebSocketApi {
    /// The API `api`, whose open connections are `connections`; `port` is the one clients reach.
    ///
    /// # Errors
    /// [`SelectionError`] when the template's route selection expression cannot be read.
    pub fn new(
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
            rate: options.connects_per_second.map(Rate::new),
            routes: Arc::new(Routes::new(api, invoker)?),
            connections,
            sessions: TaskTracker::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Mount for WebSocketApi {
    fn claims(&self, head: &Parts) -> bool {
        handshake::is_upgrade(head)
    }

    fn serve(&self, mut request: Request, peer: SocketAddr) -> BoxFuture<Response> {
        let inner = Arc::clone(&self.inner);
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, _body) = request.into_parts();
        let key = match inner.admit(&head) {
            Ok(key) => key,
            Err(refusal) => return Box::pin(std::future::ready(*refusal)),
        };
        // A task of its own: a client that leaves must not stop `$connect` half-way.
        let (answer, answered) = oneshot::channel();
        let sessions = inner.sessions.clone();
        sessions.spawn(inner.converse(head, key, peer, upgrade, answer));
        Box::pin(async move {
            let failed = |_| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
            answered.await.unwrap_or_else(failed)
        })
    }

    fn close(&self) -> BoxFuture<()> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            inner.connections.close_all();
            inner.sessions.close();
            inner.sessions.wait().await;
        })
    }
}

impl Inner {
    /// The handshake's key, or why there is no handshake.
    fn admit(&self, head: &Parts) -> Result<HeaderValue, Box<Response>> {
        if !self.leads_here(head.uri.path()) {
            return Err(Box::new(message(StatusCode::FORBIDDEN, "Forbidden")));
        }
        let key = handshake::check(head)?;
        match &self.rate {
            Some(rate) if !rate.admits(Instant::now()) => {
                Err(Box::new(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")))
            }
            _ => Ok(key),
        }
    }

    /// `/{key}` or `/{key}/`; AWS refuses every further segment.
    fn leads_here(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or(path);
        let segment = percent_decode_str(path.strip_suffix('/').unwrap_or(path)).decode_utf8_lossy();
        self.keys.iter().any(|key| *key == segment)
    }

    /// One connection, from `$connect` to `$disconnect`.
    async fn converse(
        self: Arc<Self>,
        head: Parts,
        key: HeaderValue,
        peer: SocketAddr,
        upgrade: OnUpgrade,
        answer: oneshot::Sender<Response>,
    ) {
        let id = Arc::from(ids::gateway_id());
        let origin = Origin::of(&head, id, peer.ip().to_canonical(), Timestamp::now());
        // Boxed, as the other stages, so that an idle connection does not keep room for all of them.
        let decision = Box::pin(self.routes.connect(&origin, &head, self.port)).await;
        drop(head);
        let protocol = match decision {
            Decision::Accept(protocol) => protocol,
            Decision::Refuse(response) => {
                let _ = answer.send(response);
                return;
            }
        };
        let response = handshake::switching(&key, protocol, &origin.id);
        // Before the 101 leaves: who reads it may post at once.
        let peer = self.connections.open(origin);
        let calls = Calls::new(Arc::clone(&peer), Arc::clone(&self.routes), self.connections.options());
        let upgraded = match answer.send(response) {
            Ok(()) => timeout(UPGRADE_PATIENCE, upgrade).await.ok().and_then(Result::ok),
            Err(_) => None,
        };
        let (end, calls) = match upgraded {
            Some(upgraded) => session::run(upgraded, calls, &self.connections).await,
            None => (End::ABNORMAL, calls),
        };
        self.connections.forget(&peer, &end);
        Box::pin(calls.drain()).await;
        Box::pin(self.routes.disconnect(&peer.origin, &end)).await;
    }
}
