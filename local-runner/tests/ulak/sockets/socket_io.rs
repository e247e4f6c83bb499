//! Socket.IO 5 over the runner, line by line what the protocol's test suite asks of a text-only server.

use serde_json::Value;

use super::echo::{Above, Echo};
use super::socket_client::{Line, SOCKET_IO};

async fn opened() -> (Echo, Line) {
    let echo = Echo::start(Above::SocketIo).await;
    let mut line = Line::open(echo.port, SOCKET_IO).await.unwrap();
    assert!(line.hear().await.starts_with('0'));
    (echo, line)
}

/// The same after CONNECT to the main namespace.
async fn connected() -> (Echo, Line) {
    let (echo, mut line) = opened().await;
    line.say("40").await;
    line.hear().await;
    line.hear().await;
    (echo, line)
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
        let (_echo, mut line) = opened().await;
        line.say(sent).await;
        let welcome = line.hear().await;
        let session: Value = serde_json::from_str(welcome.strip_prefix(prefix).unwrap()).unwrap();
        let keys: Vec<&String> = session.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["sid"], "{welcome}");
        assert_eq!(line.hear().await, auth);
    }
}

#[tokio::test]
async fn server_refuses_an_unknown_namespace_and_stays_open() {
    let (_echo, mut line) = opened().await;
    line.say("40/random").await;
    assert_eq!(line.hear().await, r#"44/random,{"message":"Invalid namespace"}"#);
    line.say("40").await;
    assert!(line.hear().await.starts_with("40{"));
}

#[tokio::test]
async fn server_closes_after_invalid_packets_before_and_after_connect() {
    for wrong in ["4abc", "42[\"message\"]", "41", "43[]", "40[1]"] {
        let (_echo, mut line) = opened().await;
        line.say(wrong).await;
        assert_eq!(line.closed().await, 1000, "{wrong} instead of CONNECT");
    }
    let invalid =
        ["4abc", "42{}", r#"42abc["message-with-ack",1]"#, "42[]", "42", "40", r#"42["connect"]"#, "41x"];
    for wrong in invalid {
        let (_echo, mut line) = connected().await;
        line.say(wrong).await;
        assert_eq!(line.closed().await, 1000, "{wrong} after CONNECT");
    }
}

#[tokio::test]
async fn server_stays_open_after_a_disconnect_from_the_main_namespace() {
    let (_echo, mut line) = connected().await;
    line.say("41").await;
    assert_eq!(line.hear().await, "2", "it stays open and pings");
}

#[tokio::test]
async fn server_leaves_a_custom_namespace_and_keeps_the_main_one() {
    let (_echo, mut line) = connected().await;
    line.say("40/custom").await;
    assert!(line.hear().await.starts_with("40/custom,{"));
    assert_eq!(line.hear().await, r#"42/custom,["auth",{}]"#);
    line.say("41/custom").await;
    line.say(r#"42["message","message to main namespace"]"#).await;
    assert_eq!(line.hear().await, r#"42["message-back","message to main namespace"]"#);
}

#[tokio::test]
async fn server_sends_and_receives_events_and_acks() {
    let (_echo, mut line) = connected().await;
    for (sent, heard) in [
        (r#"42["message",1,"2",{"3":[true]}]"#, r#"42["message-back",1,"2",{"3":[true]}]"#),
        (r#"42456["message-with-ack",1,"2",{"3":[false]}]"#, r#"43456[1,"2",{"3":[false]}]"#),
        (r#"420["message-with-ack","😀 \"\\"]"#, r#"430["😀 \"\\"]"#),
    ] {
        line.say(sent).await;
        assert_eq!(line.hear().await, heard);
    }
}
