//! The HTTP server: accepts connections, reads HTTP/1.1, passes each request to the first endpoint that
//! matches, and shuts down gracefully.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::{Endpoint, Request, Response, message};

/// Time for a client to send a request head, and time that a connection may be idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a request head. More than API Gateway's 10,240, so that the HTTP API can answer with its own
/// error.
const HEAD_BUFFER: usize = 64 * 1024;
/// Pause after a failed `accept`, usually for want of file descriptors, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens on the address.
    #[error("{0} is taken: stop what listens there, or choose another port with --port")]
    Taken(SocketAddr),
    /// Any other error of the operating system.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// Opens the port; with port 0 the operating system chooses one.
///
/// # Errors
/// [`BindError`], whose text is one line that says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other(address, error),
    })
}

/// The endpoints, in the order in which the server asks them.
pub type Endpoints = Arc<[Arc<dyn Endpoint>]>;

/// Serves until `stop` is cancelled, then waits at most `drain_timeout` for open requests and endpoints.
pub async fn serve(
    listener: TcpListener,
    endpoints: Endpoints,
    stop: CancellationToken,
    drain_timeout: Duration,
) {
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                connections.spawn(serve_connection(socket, peer, Arc::clone(&endpoints), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let drained = async {
        futures::future::join_all(endpoints.iter().map(|endpoint| endpoint.close())).await;
        connections.wait().await;
    };
    if tokio::time::timeout(drain_timeout, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "connections still open after the drain timeout");
    }
}

/// Serves every request of one connection.
async fn serve_connection(
    socket: TcpStream,
    peer: SocketAddr,
    endpoints: Endpoints,
    stop: CancellationToken,
) {
    // Without this, small responses would wait for more data.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let endpoints = Arc::clone(&endpoints);
        async move { Ok::<_, Infallible>(dispatch(&endpoints, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = match stop.run_until_cancelled(connection.as_mut()).await {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "http connection failed");
    }
}

async fn dispatch(
    endpoints: &[Arc<dyn Endpoint>],
    request: http::Request<Incoming>,
    peer: SocketAddr,
) -> Response {
    let (head, body) = request.into_parts();
    match endpoints.iter().find(|endpoint| endpoint.matches(&head)) {
        Some(endpoint) => endpoint.serve(Request::from_parts(head, body), peer).await,
        None => message(StatusCode::NOT_FOUND, "Not Found"),
    }
}
