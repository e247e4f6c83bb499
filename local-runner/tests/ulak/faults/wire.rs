//! The wire between a system and one of its servers, with a proxy in it.

use crate::aloud::aloud;
use std::net::SocketAddr;

use tokio::runtime::Runtime;

use super::chaos::{Chaos, Weather};

/// A proxy before a server. It runs beside the test, which may block.
pub(crate) struct Wire {
    /// The server's URL, through the proxy.
    pub(crate) url: String,
    chaos: Chaos,
    _runtime: Runtime,
}

impl Wire {
    /// Before the server that a variable names; `None`, loudly, when it names none.
    pub(crate) fn to(variable: &str) -> Option<Self> {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else {
            aloud(&format!("SKIPPED: set {variable} to cut the wire to that server"));
            return None;
        };
        Self::before(&url)
    }

    /// Before the server of a URL.
    pub(crate) fn before(url: &str) -> Option<Self> {
        let runtime = Runtime::new().unwrap();
        let chaos = runtime.block_on(Chaos::before(&server(url)?));
        Some(Self { url: through(url, chaos.address)?, chaos, _runtime: runtime })
    }

    /// Takes the server away: either in silence, connections and all, or by ending all and taking no new one.
    pub(crate) fn away(&self, silent: bool) {
        self.chaos.set(if silent { Weather::Silent } else { Weather::Refusing });
    }

    /// Ends the connections that are there, once.
    pub(crate) fn blink(&self) {
        self.chaos.cut();
    }

    /// Delays every piece.
    pub(crate) fn delay(&self, by: std::time::Duration) {
        self.chaos.set(Weather::Slow(by));
    }

    /// As if nothing had been.
    pub(crate) fn reconcile(&self) {
        self.chaos.set(Weather::Fair);
    }
}

/// Where host and port stand in a URL.
fn place(url: &str) -> Option<std::ops::Range<usize>> {
    let begin = url.find("://")? + 3;
    let length = url[begin..].find(['/', '?']).unwrap_or(url.len() - begin);
    let host = url[begin..begin + length].rfind('@').map_or(begin, |at| begin + at + 1);
    Some(host..begin + length)
}

/// `host:port`.
fn server(url: &str) -> Option<String> {
    let host = &url[place(url)?];
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

fn through(url: &str, proxy: SocketAddr) -> Option<String> {
    let place = place(url)?;
    Some(format!("{}{proxy}{}", &url[..place.start], &url[place.end..]))
}

#[test]
fn a_url_is_led_through_the_proxy() {
    let proxy: SocketAddr = "127.0.0.1:9".parse().unwrap();
    for (url, host, led) in [
        ("mongodb://h/?directConnection=true", "h:27017", "mongodb://127.0.0.1:9/?directConnection=true"),
        ("redis://:p@h:1/2", "h:1", "redis://:p@127.0.0.1:9/2"),
        ("amqp://a:b@h", "h:5672", "amqp://a:b@127.0.0.1:9"),
        ("http://h:9200", "h:9200", "http://127.0.0.1:9"),
    ] {
        assert_eq!((server(url).as_deref(), through(url, proxy).as_deref()), (Some(host), Some(led)));
    }
}
