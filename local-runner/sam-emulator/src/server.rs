//! The HTTP server: accepts connections, reads HTTP/1.1, passes each request to the first endpoint that
//! matches, and shuts down gracefully. Nothing that a client sends or leaves out holds more than its share of
//! connections, memory or time.
//!
//! In the order of reading: `options` (the limits), `listeners`, `clients` (the open connections), `stream`
//! (the socket of one).

mod clients;
mod listeners;
mod options;
mod stream;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use http::StatusCode;
use http::header::{CONNECTION, EXPECT, HOST, HeaderValue, ORIGIN, UPGRADE};
use http::request::Parts;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::listeners::{BindError, Listeners, bind};
pub use self::options::ServerOptions;

use self::clients::{Client, Clients};
use self::stream::ClientStream;
use crate::access::{Access, Ends, Refusal};
use crate::body::{BodyLimits, RequestBody};
use crate::endpoint::{Audience, Endpoint, Request, Response, message};
use crate::log_limit::LogLimit;

/// Bytes of a request head. More than API Gateway's 10,240, so that the HTTP API can answer with its own
/// error.
const HEAD_BUFFER: usize = 64 * 1024;
/// Pause after a failed `accept`, usually for want of file descriptors, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The first time at which a connection's timer may fire. Deadlines that are nearer move it.
const FIRST_TIMER: Duration = Duration::from_secs(60);
/// Log lines per minute about refused requests and about failures to accept, each.
const LINES_PER_MINUTE: u32 = 30;

/// The endpoints, in the order in which the server asks them.
pub type Endpoints = Arc<[Arc<dyn Endpoint>]>;

/// What all connections of one port share.
struct Port {
    endpoints: Endpoints,
    access: Access,
    clients: Arc<Clients>,
    bodies: BodyLimits,
    refusals: LogLimit,
    stop: CancellationToken,
}

/// Serves until `stop` is cancelled, then waits at most `drain_timeout` for open requests and endpoints.
pub async fn serve(
    listeners: impl Into<Listeners>,
    endpoints: Endpoints,
    options: ServerOptions,
    stop: CancellationToken,
    drain_timeout: Duration,
) {
    let listeners = listeners.into();
    let port = Arc::new(Port {
        endpoints,
        bodies: BodyLimits::new(options.body_memory, stop.clone()),
        access: options.access.clone(),
        clients: Arc::new(Clients::new(options)),
        refusals: LogLimit::new(LINES_PER_MINUTE),
        stop: stop.clone(),
    });
    let connections = TaskTracker::new();
    let failures = LogLimit::new(LINES_PER_MINUTE);
    while let Some(accepted) = stop.run_until_cancelled(listeners.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                let ends = socket.local_addr().map(|local| Ends { peer, local });
                if let Some(client) = ends.ok().and_then(|ends| port.clients.add(ends)) {
                    connections.spawn(serve_connection(socket, client, Arc::clone(&port)));
                }
            }
            Err(error) => {
                port.clients.evict_one();
                if let Some(suppressed) = failures.admit() {
                    tracing::warn!(%error, suppressed, "cannot accept a connection");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listeners);
    connections.close();
    let drained = async {
        futures::future::join_all(port.endpoints.iter().map(|endpoint| endpoint.close())).await;
        connections.wait().await;
    };
    if tokio::time::timeout(drain_timeout, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "connections still open after the drain timeout");
    }
}

/// Serves every request of one connection, until it ends or one of its deadlines passes.
async fn serve_connection(socket: TcpStream, client: Client, port: Arc<Port>) {
    let peer = client.ends.peer;
    // Without this, small responses would wait for more data.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    let client = Arc::new(client);
    let stream = ClientStream::new(socket, Arc::clone(&client));
    let service = {
        let (port, client) = (Arc::clone(&port), Arc::clone(&client));
        service_fn(move |request| {
            let (port, client) = (Arc::clone(&port), Arc::clone(&client));
            async move { Ok::<_, Infallible>(port.respond(request, &client).await) }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut timer = pin!(sleep(FIRST_TIMER));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            end = run_until_end(connection.as_mut(), &client, timer.as_mut(), is_stopping) => {
                return tracing::debug!(%peer, ?end, "connection ended");
            }
            () = client.evicted() => return tracing::debug!(%peer, "connection closed for another one"),
            () = port.stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Why a connection is over. Read by the log only.
#[derive(Debug)]
#[expect(dead_code, reason = "the log shows the cause through Debug")]
enum End {
    Closed(hyper::Result<()>),
    DeadlinePassed,
    NoRequestAtShutdown,
}

/// Drives the connection until it ends or its deadline passes; while stopping, also until no request runs.
async fn run_until_end(
    mut connection: Pin<&mut impl Future<Output = hyper::Result<()>>>,
    client: &Client,
    mut timer: Pin<&mut Sleep>,
    is_stopping: bool,
) -> End {
    poll_fn(|cx| {
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            return Poll::Ready(End::Closed(result));
        }
        client.settle();
        if is_stopping && client.waits() {
            return Poll::Ready(End::NoRequestAtShutdown);
        }
        let Some(deadline) = client.deadline() else { return Poll::Pending };
        // The timer only moves forward when it fires, so that a request does not cost a change of it.
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(End::DeadlinePassed);
            }
            timer.as_mut().reset(deadline);
        }
    })
    .await
}

impl Port {
    /// Answers one request. What an endpoint leaves of the request's body is read if it is small; otherwise
    /// the response says `connection: close`, and the client knows that its next request needs another
    /// connection (RFC 9112 §9.6).
    async fn respond(&self, request: http::Request<Incoming>, client: &Client) -> Response {
        let has_place = client.begin_request(request.headers().contains_key(UPGRADE));
        let expects_continue = request.headers().contains_key(EXPECT);
        let (head, incoming) = request.into_parts();
        let (body, rest) = RequestBody::new(incoming, self.bodies.clone());
        let mut response = if has_place {
            self.dispatch(Request::from_parts(head, body), client.ends).await
        } else {
            drop(body);
            message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
        };
        if !rest.drain(expects_continue).await {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            client.set_lingers();
        }
        let bytes = response.body().size_hint().lower();
        let has_upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        client.end_request(usize::try_from(bytes).unwrap_or(usize::MAX), has_upgraded);
        response
    }

    async fn dispatch(&self, request: Request, ends: Ends) -> Response {
        let (head, body) = request.into_parts();
        let Some(endpoint) = self.endpoints.iter().find(|endpoint| endpoint.matches(&head)) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let checked = match endpoint.audience(&head) {
            Audience::Public => Ok(()),
            Audience::WebSocket => self.access.check_websocket(&head, ends),
            Audience::Management => self.access.check_management(&head, ends),
        };
        match checked {
            Ok(()) => endpoint.serve(Request::from_parts(head, body), ends.peer).await,
            Err(refusal) => self.refuse(&head, ends, refusal),
        }
    }

    /// Answers 403, with one log line per request.
    fn refuse(&self, head: &Parts, ends: Ends, refusal: Refusal) -> Response {
        if let Some(suppressed) = self.refusals.admit() {
            let text = |name| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let (method, path, peer) = (&head.method, head.uri.path(), ends.peer);
            let (host, origin) = (text(HOST), text(ORIGIN));
            tracing::warn!(%method, path, ?host, ?origin, %peer, suppressed, "request refused: {refusal}");
        }
        message(StatusCode::FORBIDDEN, refusal.hint())
    }
}
