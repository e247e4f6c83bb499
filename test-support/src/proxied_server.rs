//! A server behind a [`FaultProxy`], for tests that block.

use std::net::SocketAddr;
use std::ops::Range;

use tokio::runtime::Runtime;

use crate::fault_proxy::{Fault, FaultProxy};
use crate::report::server_url;

/// A server behind a proxy. The proxy runs on threads of its own, so the test may block.
pub struct ProxiedServer {
    /// The server's URL through the proxy.
    pub url: String,
    proxy: FaultProxy,
    _runtime: Runtime,
}

impl ProxiedServer {
    /// The server in an environment variable such as `REDIS_URL`. Without it the test is skipped.
    #[track_caller]
    pub fn from_env(variable: &str) -> Option<Self> {
        server_url(variable).map(|url| Self::start(&url))
    }

    /// Starts a proxy before the server of a URL.
    ///
    /// # Panics
    /// If the URL contains no host, or no port and an unknown scheme.
    pub fn start(url: &str) -> Self {
        let upstream = host_and_port(url).unwrap_or_else(|| panic!("no host and port in {url}"));
        let runtime = Runtime::new().unwrap();
        let proxy = runtime.block_on(FaultProxy::start(&upstream));
        Self { url: with_host(url, proxy.address).unwrap(), proxy, _runtime: runtime }
    }

    /// Changes the fault. Connections stay open unless the fault is `Refusing`.
    pub fn set(&self, fault: Fault) {
        self.proxy.set(fault);
    }

    /// Closes every open connection; new ones are accepted.
    pub fn cut_connections(&self) {
        self.proxy.cut_connections();
    }
}

/// The range of host and port in a URL.
fn host_range(url: &str) -> Option<Range<usize>> {
    let begin = url.find("://")? + 3;
    let length = url[begin..].find(['/', '?']).unwrap_or(url.len() - begin);
    let host = url[begin..begin + length].rfind('@').map_or(begin, |at| begin + at + 1);
    Some(host..begin + length)
}

/// `host:port`, with the default port of the scheme.
fn host_and_port(url: &str) -> Option<String> {
    let host = &url[host_range(url)?];
    let port = match url.split("://").next()? {
        _ if host.contains(':') => return Some(host.to_owned()),
        "mongodb" => 27_017,
        "redis" => 6_379,
        "amqp" => 5_672,
        "http" => 9_200,
        _ => return None,
    };
    Some(format!("{host}:{port}"))
}

fn with_host(url: &str, host: SocketAddr) -> Option<String> {
    let range = host_range(url)?;
    Some(format!("{}{host}{}", &url[..range.start], &url[range.end..]))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{host_and_port, with_host};

    #[test]
    fn host_is_replaced_in_every_form_of_url() {
        let proxy: SocketAddr = "127.0.0.1:9".parse().unwrap();
        for (url, host, proxied) in [
            ("mongodb://h/?directConnection=true", "h:27017", "mongodb://127.0.0.1:9/?directConnection=true"),
            ("redis://:p@h:1/2", "h:1", "redis://:p@127.0.0.1:9/2"),
            ("amqp://a:b@h", "h:5672", "amqp://a:b@127.0.0.1:9"),
            ("http://h:9200", "h:9200", "http://127.0.0.1:9"),
        ] {
            let found = (host_and_port(url), with_host(url, proxy));
            assert_eq!(found, (Some(host.to_owned()), Some(proxied.to_owned())), "{url}");
        }
    }
}
