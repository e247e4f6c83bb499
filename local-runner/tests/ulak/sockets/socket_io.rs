//! Socket.IO 5 over the runner: the cases of the protocol's test suite for a server without binary frames.

use serde_json::Value;

use super::echo::{EchoServer, Protocol};
use super::socket_client::{SOCKET_IO, SocketClient};

async fn opened() -> (EchoServer, SocketClient) {
    let echo = EchoServer::start(Protocol::SocketIo).await;
    let mut client = SocketClient::open(echo.port, SOCKET_IO).await.unwrap();
    assert!(client.receive().await.starts_with('0'));
    (echo, client)
}

/// A connection after CONNECT to the main namespace.
async fn connected() -> (EchoServer, SocketClient) {
    let (echo, mut client) = opened().await;
    client.send("40").await;
    client.receive().await;
    client.receive().await;
    (echo, client)
}

#[tokio::test]
async fn server_connects_to_a_namespace_with_and_without_a_payload() {
    for (sent, prefix, auth) in [
        ("40", "40", r#"42["auth",{}]"#),
        (r#"40{"token":"123"}"#, "40", r#"42["auth",{"token":"123"}]"#),
        ("40/custom,", "40/custom,", r#"42/custom,["auth",{}]"#),
        ("40/custom", "40/custom,", r#"42/custom,["auth",{}]"#),
        (r#"40/custom,{"token":"abc"}"#, "40/custom,", r#"42/custom,["auth",{"token":"abc"}]"#),
    ] {
        let (_echo, mut client) = opened().await;
        client.send(sent).await;
        let welcome = client.receive().await;
        let session: Value = serde_json::from_str(welcome.strip_prefix(prefix).unwrap()).unwrap();
        let keys: Vec<&String> = session.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["sid"], "{welcome}");
        assert_eq!(client.receive().await, auth);
    }
}

#[tokio::test]
async fn server_refuses_an_unknown_namespace_and_stays_open() {
    let (_echo, mut client) = opened().await;
    client.send("40/random").await;
    assert_eq!(client.receive().await, r#"44/random,{"message":"Invalid namespace"}"#);
    client.send("40").await;
    assert!(client.receive().await.starts_with("40{"));
}

#[tokio::test]
async fn server_closes_after_invalid_packets_before_and_after_connect() {
    for wrong in ["4abc", "42[\"message\"]", "41", "43[]", "40[1]"] {
        let (_echo, mut client) = opened().await;
        client.send(wrong).await;
        assert_eq!(client.close_code().await, 1000, "{wrong} instead of CONNECT");
    }
    let invalid =
        ["4abc", "42{}", r#"42abc["message-with-ack",1]"#, "42[]", "42", "40", r#"42["connect"]"#, "41x"];
    for wrong in invalid {
        let (_echo, mut client) = connected().await;
        client.send(wrong).await;
        assert_eq!(client.close_code().await, 1000, "{wrong} after CONNECT");
    }
}

#[tokio::test]
async fn server_stays_open_after_a_disconnect_from_the_main_namespace() {
    let (_echo, mut client) = connected().await;
    client.send("41").await;
    assert_eq!(client.receive().await, "2", "the server does not ping");
}

#[tokio::test]
async fn server_leaves_a_custom_namespace_and_keeps_the_main_one() {
    let (_echo, mut client) = connected().await;
    client.send("40/custom").await;
    assert!(client.receive().await.starts_with("40/custom,{"));
    assert_eq!(client.receive().await, r#"42/custom,["auth",{}]"#);
    client.send("41/custom").await;
    client.send(r#"42["message","message to main namespace"]"#).await;
    assert_eq!(client.receive().await, r#"42["message-back","message to main namespace"]"#);
}

#[tokio::test]
async fn server_sends_and_receives_events_and_acks() {
    let (_echo, mut client) = connected().await;
    for (sent, expected) in [
        (r#"42["message",1,"2",{"3":[true]}]"#, r#"42["message-back",1,"2",{"3":[true]}]"#),
        (r#"42456["message-with-ack",1,"2",{"3":[false]}]"#, r#"43456[1,"2",{"3":[false]}]"#),
        (r#"420["message-with-ack","😀 \"\\"]"#, r#"430["😀 \"\\"]"#),
    ] {
        client.send(sent).await;
        assert_eq!(client.receive().await, expected);
    }
}
