//! The one port: accepts, reads HTTP/1.1, hands each request to the first mount that claims it, and ends
//! gracefully. What requests mean is the mounts' business.

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

use crate::mount::{Mount, Request, Response, message};

/// How long a connection may take to send a request's head, and how long it may idle between requests.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);
/// More than the gateway's 10,240 bytes, so that its own limit is the one that answers.
const HEAD_BUFFER: usize = 64 * 1024;
/// After a failed `accept` (usually: no more file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something listens there already.
    #[error("{0} is taken: stop what listens there, or choose another port with --port")]
    Taken(SocketAddr),
    /// Anything else the system says.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// Opens the port; 0 lets the system choose.
///
/// # Errors
/// [`BindError`], in one line that says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other(address, error),
    })
}

/// The mounts, in the order in which they are asked.
pub type Mounts = Arc<[Arc<dyn Mount>]>;

/// Serves until `stop`, then waits for requests in flight, at most `drain`.
pub async fn serve(listener: TcpListener, mounts: Mounts, stop: CancellationToken, drain: Duration) {
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                connections.spawn(converse(socket, peer, Arc::clone(&mounts), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let ended = async {
        futures::future::join_all(mounts.iter().map(|mount| mount.close())).await;
        connections.wait().await;
    };
    if tokio::time::timeout(drain, ended).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were still open at the end");
    }
}

/// One connection, with all its requests.
async fn converse(socket: TcpStream, peer: SocketAddr, mounts: Mounts, stop: CancellationToken) {
    // Small answers must not wait for more to send.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let mounts = Arc::clone(&mounts);
        async move { Ok::<_, Infallible>(dispatch(&mounts, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
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
        tracing::debug!(%peer, %error, "connection ended");
    }
}

async fn dispatch(mounts: &[Arc<dyn Mount>], request: http::Request<Incoming>, peer: SocketAddr) -> Response {
    let (head, body) = request.into_parts();
    match mounts.iter().find(|mount| mount.claims(&head)) {
        Some(mount) => mount.serve(Request::from_parts(head, body), peer).await,
        None => message(StatusCode::NOT_FOUND, "Not Found"),
    }
}
