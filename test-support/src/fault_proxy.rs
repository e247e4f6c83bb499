//! A TCP proxy before a server, which can cut, delay, refuse or ignore connections.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The largest piece that is forwarded at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Forwards everything at once.
    None,
    /// Forwards every piece after this delay.
    Slow(Duration),
    /// Keeps and accepts connections but forwards nothing: the peer is half-open.
    Silent,
    /// Cuts all connections, and closes new ones as soon as they are accepted.
    Refusing,
}

#[derive(Debug, Clone, Copy)]
struct State {
    fault: Fault,
    /// Connections of an earlier generation are closed.
    generation: u64,
}

/// A running proxy; it ends when the value is dropped.
pub struct FaultProxy {
    /// Where to connect instead of the server.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy on a free port before `host:port`, without a fault.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State { fault: Fault::None, generation: 0 });
        let accepting = tokio::spawn(accept(listener, upstream.to_owned(), seen));
        Self { address, state, accepting }
    }

    /// Changes the fault. Connections stay open unless the fault is `Refusing`.
    pub fn set(&self, fault: Fault) {
        self.state.send_modify(|state| {
            state.fault = fault;
            state.generation += u64::from(fault == Fault::Refusing);
        });
    }

    /// Closes every open connection; new ones are accepted.
    pub fn cut_connections(&self) {
        self.state.send_modify(|state| state.generation += 1);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.cut_connections();
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: String, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if state.borrow().fault != Fault::Refusing {
            tokio::spawn(forward(client, upstream.clone(), state.clone()));
        }
    }
}

async fn forward(client: TcpStream, upstream: String, mut state: watch::Receiver<State>) {
    let generation = state.borrow().generation;
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (requests, replies) = (state.clone(), state.clone());
    tokio::select! {
        () = pump(from_client, to_server, requests) => {}
        () = pump(from_server, to_client, replies) => {}
        _ = state.wait_for(|state| state.generation != generation) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: watch::Receiver<State>,
) {
    let mut piece = vec![0; PIECE];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let fault = state.borrow().fault;
        match fault {
            Fault::Slow(delay) => tokio::time::sleep(delay).await,
            Fault::Silent => std::future::pending().await,
            // The connection is about to be cut; nothing more is forwarded until then.
            Fault::Refusing => return,
            Fault::None => {}
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
