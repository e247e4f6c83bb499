//! Engine.IO 4 over the runner, line by line what the protocol's test suite asks of a WebSocket-only server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::echo::{Above, CONNECT_TIMEOUT, Echo, PING_INTERVAL, PING_TIMEOUT};
use super::socket_client::Line;

/// Both suites begin with these: the path is each one's own.
const SUITES: [(Above, &str); 2] = [(Above::Engine, "/engine.io"), (Above::SocketIo, "/socket.io")];

async fn open(echo: &Echo, path: &str) -> Line {
    Line::open(echo.port, &format!("{path}/?EIO=4&transport=websocket")).await.unwrap()
}

/// The same after the open packet and, where it is spoken, Socket.IO's CONNECT.
async fn opened(echo: &Echo, above: Above, path: &str) -> Line {
    let mut line = open(echo, path).await;
    line.hear().await;
    if above == Above::SocketIo {
        line.say("40").await;
        line.hear_until("42[\"auth\"").await;
    }
    line
}

#[tokio::test]
async fn server_opens_a_session() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        let packet = open(&echo, path).await.hear().await;
        let mut open: Value = serde_json::from_str(packet.strip_prefix('0').unwrap()).unwrap();
        let sid = open.as_object_mut().unwrap().remove("sid").unwrap();
        assert!(sid.as_str().is_some_and(|sid| !sid.is_empty()), "{packet}");
        let rest =
            json!({ "upgrades": [], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000 });
        assert_eq!(open, rest);
    }
}

#[tokio::test]
async fn server_refuses_other_versions_and_transports() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        for query in [
            "transport=websocket",
            "EIO=abc&transport=websocket",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=3&transport=websocket",
            "EIO=4&transport=polling",
        ] {
            let refused = Line::open(echo.port, &format!("{path}/?{query}")).await;
            assert_eq!(refused.err().map(|(status, _)| status), Some(400), "{query}");
        }
    }
}

#[tokio::test]
async fn server_sends_and_receives_plain_text() {
    let echo = Echo::start(Above::Engine).await;
    let mut line = opened(&echo, Above::Engine, "/engine.io").await;
    for text in ["4hello", "4", "4€ 😀 \u{0}"] {
        line.say(text).await;
        assert_eq!(line.hear().await, text);
    }
}

#[tokio::test]
async fn server_closes_after_an_invalid_packet() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        for packet in ["abc", "", "2", "0{}", "\u{1F600}"] {
            let mut line = opened(&echo, above, path).await;
            line.say(packet).await;
            assert_eq!(line.closed().await, 1000, "{packet:?}");
        }
    }
}

#[tokio::test]
async fn server_pings_and_accepts_pongs() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        let mut line = opened(&echo, above, path).await;
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(line.hear().await, "2");
            line.say("3").await;
        }
        assert!(start.elapsed() > 2 * PING_INTERVAL, "{:?}", start.elapsed());
        line.say("4").await;
        if above == Above::Engine {
            assert_eq!(line.hear().await, "4");
        }
    }
}

#[tokio::test]
async fn server_closes_after_a_ping_timeout() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        let mut line = opened(&echo, above, path).await;
        let start = Instant::now();
        assert_eq!(line.hear().await, "2");
        assert_eq!(line.closed().await, 1000);
        assert!(start.elapsed() > PING_TIMEOUT, "{:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn server_closes_after_a_close_packet() {
    for (above, path) in SUITES {
        let echo = Echo::start(above).await;
        let mut line = opened(&echo, above, path).await;
        line.say("1").await;
        assert_eq!(line.closed().await, 1000);
    }
}

#[tokio::test]
async fn server_closes_without_a_connect_packet() {
    let echo = Echo::start(Above::SocketIo).await;
    let mut line = open(&echo, "/socket.io").await;
    line.hear().await;
    let start = Instant::now();
    // It lives and says nothing: the connect timeout is what ends it.
    while let Some("2") = line.hear_within(2 * 300).await.as_deref() {
        line.say("3").await;
        if start.elapsed() > CONNECT_TIMEOUT - PING_INTERVAL {
            break;
        }
    }
    assert_eq!(line.closed().await, 1000);
    assert!(start.elapsed() < 10 * CONNECT_TIMEOUT);
}
