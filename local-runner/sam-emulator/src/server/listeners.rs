//! The listening sockets of one port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};

/// How often a free port is searched that is free on every address.
const ATTEMPTS: usize = 16;

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

/// Opens one address; with port 0 the operating system chooses the port.
///
/// # Errors
/// [`BindError`], whose text is one line that says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other(address, error),
    })
}

/// Sockets that listen on one port of several addresses; at least one.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self(vec![listener])
    }
}

impl Listeners {
    /// Opens `port` on `host` and on the loopback addresses. `localhost` names either of those, in an order
    /// that differs from machine to machine, and the management endpoints stay there whatever `host` is.
    /// Without `host`, only the loopback addresses are opened. A machine without IPv6 has one of them.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn open(host: Option<IpAddr>, port: u16) -> Result<Self, BindError> {
        let addresses = addresses(host);
        let mut attempt = Self::bind_all(&addresses, port).await;
        for _ in 0..ATTEMPTS {
            // With port 0, the port that the first address got may be taken on the next one.
            if port != 0 || !matches!(attempt, Err(BindError::Taken(_))) {
                break;
            }
            attempt = Self::bind_all(&addresses, port).await;
        }
        attempt
    }

    async fn bind_all(addresses: &[IpAddr], mut port: u16) -> Result<Self, BindError> {
        let mut open: Vec<TcpListener> = Vec::new();
        for ip in addresses {
            let address = SocketAddr::new(*ip, port);
            match bind(address).await {
                Ok(listener) => {
                    port = listener.local_addr().map_err(|error| BindError::Other(address, error))?.port();
                    open.push(listener);
                }
                Err(BindError::Other(_, error)) if !open.is_empty() && is_without_ipv6(&error) => {
                    tracing::debug!(%address, %error, "this machine has no IPv6 loopback address");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self(open))
    }

    /// The first address.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.0.first() {
            Some(first) => first.local_addr(),
            None => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Waits for the next connection on any address. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepting = self.0.iter().map(|listener| Box::pin(listener.accept()));
        futures::future::select_all(accepting).await.0
    }
}

fn addresses(host: Option<IpAddr>) -> Vec<IpAddr> {
    let loopbacks = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    match host {
        None => loopbacks.into(),
        // One socket takes the connections of both kinds.
        Some(any @ IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => vec![any],
        Some(any @ IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => vec![any, loopbacks[1]],
        Some(loopback) if loopback.is_loopback() => vec![loopback],
        Some(host) => std::iter::once(host).chain(loopbacks).collect(),
    }
}

fn is_without_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT is 97 on Linux and 47 on macOS.
    error.kind() == io::ErrorKind::AddrNotAvailable || matches!(error.raw_os_error(), Some(97 | 47))
}
