//! Engine.IO 4 over the runner: the cases of the protocol's test suite for a server with WebSocket only.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::echo::{CONNECT_TIMEOUT, EchoServer, PING_INTERVAL, PING_TIMEOUT, Protocol};
use super::socket_client::SocketClient;

/// The protocol of each suite and its path. Both suites begin with the cases of Engine.IO.
const SUITES: [(Protocol, &str); 2] =
    [(Protocol::EngineIo, "/engine.io"), (Protocol::SocketIo, "/socket.io")];

async fn open(echo: &EchoServer, path: &str) -> SocketClient {
    SocketClient::open(echo.port, &format!("{path}/?EIO=4&transport=websocket")).await.unwrap()
}

/// A connection after the open packet and, for Socket.IO, CONNECT.
async fn opened(echo: &EchoServer, protocol: Protocol, path: &str) -> SocketClient {
    let mut client = open(echo, path).await;
    client.receive().await;
    if protocol == Protocol::SocketIo {
        client.send("40").await;
        client.receive_until("42[\"auth\"").await;
    }
    client
}

#[tokio::test]
async fn server_opens_a_session() {
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        let packet = open(&echo, path).await.receive().await;
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
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        for query in [
            "transport=websocket",
            "EIO=abc&transport=websocket",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=3&transport=websocket",
            "EIO=4&transport=polling",
        ] {
            let refused = SocketClient::open(echo.port, &format!("{path}/?{query}")).await;
            assert_eq!(refused.err().map(|(status, _)| status), Some(400), "{query}");
        }
    }
}

#[tokio::test]
async fn server_sends_and_receives_plain_text() {
    let echo = EchoServer::start(Protocol::EngineIo).await;
    let mut client = opened(&echo, Protocol::EngineIo, "/engine.io").await;
    for text in ["4hello", "4", "4€ 😀 \u{0}"] {
        client.send(text).await;
        assert_eq!(client.receive().await, text);
    }
}

#[tokio::test]
async fn server_closes_after_an_invalid_packet() {
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        for packet in ["abc", "", "2", "0{}", "\u{1F600}"] {
            let mut client = opened(&echo, protocol, path).await;
            client.send(packet).await;
            assert_eq!(client.close_code().await, 1000, "{packet:?}");
        }
    }
}

#[tokio::test]
async fn server_pings_and_accepts_pongs() {
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        let mut client = opened(&echo, protocol, path).await;
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(client.receive().await, "2");
            client.send("3").await;
        }
        assert!(start.elapsed() > 2 * PING_INTERVAL, "{:?}", start.elapsed());
        client.send("4").await;
        if protocol == Protocol::EngineIo {
            assert_eq!(client.receive().await, "4");
        }
    }
}

#[tokio::test]
async fn server_closes_after_a_ping_timeout() {
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        let mut client = opened(&echo, protocol, path).await;
        let start = Instant::now();
        assert_eq!(client.receive().await, "2");
        assert_eq!(client.close_code().await, 1000);
        assert!(start.elapsed() > PING_TIMEOUT, "{:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn server_closes_after_a_close_packet() {
    for (protocol, path) in SUITES {
        let echo = EchoServer::start(protocol).await;
        let mut client = opened(&echo, protocol, path).await;
        client.send("1").await;
        assert_eq!(client.close_code().await, 1000);
    }
}

#[tokio::test]
async fn server_closes_without_a_connect_packet() {
    let echo = EchoServer::start(Protocol::SocketIo).await;
    let mut client = open(&echo, "/socket.io").await;
    client.receive().await;
    let start = Instant::now();
    // The client answers pings but sends no CONNECT, so the connect timeout closes the connection.
    while let Some("2") = client.receive_within(2 * 300).await.as_deref() {
        client.send("3").await;
        if start.elapsed() > CONNECT_TIMEOUT - PING_INTERVAL {
            break;
        }
    }
    assert_eq!(client.close_code().await, 1000);
    assert!(start.elapsed() < 10 * CONNECT_TIMEOUT);
}
