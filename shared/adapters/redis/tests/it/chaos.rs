//! A TCP proxy between an adapter and its server, for every adapter's tests: cuts, delays, falls silent.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with what passes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Everything passes at once.
    Fair,
    /// Every piece passes after a while.
    Slow(Duration),
    /// Connections stay and are accepted, but nothing passes any more: the peer is half-open.
    Silent,
    /// Connections are closed as soon as they are accepted.
    Refusing,
}

#[derive(Debug, Clone, Copy)]
struct State {
    weather: Weather,
    /// Connections of an earlier age are closed.
    age: u64,
}

/// A running proxy; it ends with its value.
pub(crate) struct Chaos {
    /// Where to connect to instead of the server.
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Chaos {
    /// A proxy on a free port before `host:port`.
    pub(crate) async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State { weather: Weather::Fair, age: 0 });
        let accepting = tokio::spawn(accept(listener, upstream.to_owned(), seen));
        Self { address, state, accepting }
    }

    /// Changes the weather. `Refusing` also cuts the connections that are there.
    pub(crate) fn set(&self, weather: Weather) {
        self.state.send_modify(|state| {
            state.weather = weather;
            state.age += u64::from(weather == Weather::Refusing);
        });
    }

    /// Closes every connection that is there; new ones are served.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.age += 1);
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: String, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if state.borrow().weather != Weather::Refusing {
            tokio::spawn(serve(client, upstream.clone(), state.clone()));
        }
    }
}

async fn serve(client: TcpStream, upstream: String, mut state: watch::Receiver<State>) {
    let born = state.borrow().age;
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (there, back) = (state.clone(), state.clone());
    tokio::select! {
        () = pump(from_client, to_server, there) => {}
        () = pump(from_server, to_client, back) => {}
        _ = state.wait_for(|state| state.age != born) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: watch::Receiver<State>,
) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let weather = state.borrow().weather;
        match weather {
            Weather::Slow(delay) => tokio::time::sleep(delay).await,
            Weather::Silent => std::future::pending().await,
            // The cut is on its way to this connection; not one more piece passes before it arrives.
            Weather::Refusing => return,
            Weather::Fair => {}
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
