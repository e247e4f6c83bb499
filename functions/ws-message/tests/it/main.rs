//! `ws-message` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod floods;
mod fuzz;
mod missed;

use std::time::Duration;

use serde_json::{Value, json};
use shared::connection::Dialect;
use shared::lambda::leak;
use shared::lambda::websocket::{SocketEventKind, SocketReply, websocket};
use shared::realtime::ping::PingTimers;
use shared::time::Time;
use test_support::events::{assert_foreign_events_fail, invoke_event, socket_event};
use test_support::fixture::{FunctionFixture, NOW, Scenario};

fn at(seconds: u64) -> Time {
    NOW + Duration::from_secs(seconds)
}

fn ports(fixture: &FunctionFixture) -> ws_message::Ports<'_> {
    ws_message::Ports {
        gate: fixture.gate(),
        chat: fixture.chat(),
        heartbeats: &fixture.store,
        presence: &fixture.store,
        announcer: fixture.announcer(),
        timers: PingTimers::default(),
    }
}

/// Handles a frame of a connection and returns the frames that this connection receives.
async fn receive(fixture: &FunctionFixture, connection: &str, now: Time, frame: &str) -> Vec<String> {
    let kind = SocketEventKind::Message { body: frame.to_owned() };
    let event = fixture.socket_event(connection, now, kind);
    assert_eq!(ws_message::handle(ports(fixture), event).await.unwrap(), SocketReply::ok());
    fixture.pushes.take_frames(connection)
}

/// The data of an ack in Socket.IO's format.
fn ack(frame: &str, prefix: &str) -> Value {
    let list: Value = serde_json::from_str(frame.strip_prefix(prefix).unwrap()).unwrap();
    list[0].clone()
}

/// The lease is written when half of it has passed, not for every frame.
#[tokio::test]
async fn every_frame_of_an_attached_connection_extends_its_lease() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let timers = PingTimers::default();
    fixture.attach_connection("c", Dialect::SocketIo, &ada.identity(), timers.lease(NOW)).await;
    for (second, expected) in [(100, timers.lease(NOW)), (400, timers.lease(at(400)))] {
        receive(&fixture, "c", at(second), r#"421["online_users"]"#).await;
        let stored = fixture.connection("c").await.unwrap();
        assert_eq!(stored.lease_until, expected, "after {second} s");
    }
}

#[tokio::test]
async fn pong_extends_the_lease_of_an_attached_connection_only() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let timers = PingTimers::default();
    fixture.attach_connection("attached", Dialect::SocketIo, &ada.identity(), NOW).await;
    fixture.open_connection("anonymous", Dialect::SocketIo, NOW).await;
    for (connection, expected) in [("attached", timers.lease(at(10))), ("anonymous", NOW)] {
        assert_eq!(receive(&fixture, connection, at(10), "3").await, Vec::<String>::new());
        assert_eq!(fixture.connection(connection).await.unwrap().lease_until, expected, "{connection}");
    }
}

#[tokio::test]
async fn connect_with_a_live_token_attaches_the_user() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
    let auth = json!({ "token": ada.access_token });
    assert_eq!(receive(&fixture, "c", at(1), &format!("40{auth}")).await, [r#"40{"sid":"c"}"#]);
    assert_eq!(fixture.connection("c").await.unwrap().identity, Some(ada.identity()));
}

#[tokio::test]
async fn connect_with_an_invalid_token_is_refused_with_a_reason() {
    let fixture = FunctionFixture::new();
    fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
    let frames = receive(&fixture, "c", at(1), r#"40{"token":"nonsense"}"#).await;
    let refusal: Value = serde_json::from_str(frames[0].strip_prefix("44").unwrap()).unwrap();
    assert_eq!(refusal["data"]["code"], "UNAUTHENTICATED", "{refusal}");
    assert_eq!(fixture.connection("c").await.unwrap().identity, None);
}

#[tokio::test]
async fn event_before_connect_closes_the_connection() {
    let fixture = FunctionFixture::new();
    fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
    assert_eq!(receive(&fixture, "c", at(1), r#"421["online_users"]"#).await, ["CLOSE"]);
    assert_eq!(fixture.connection("c").await, None);
}

#[tokio::test]
async fn sent_message_is_acknowledged_and_received_by_the_other_member() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    fixture.attach_connection("ada", Dialect::SocketIo, &scenario.ada.identity(), at(60)).await;
    fixture.attach_json("bob", &scenario.bob).await;
    let payload = json!({ "conversationId": scenario.conversation, "content": "Merhaba" });
    let kind = SocketEventKind::Message { body: format!(r#"427["send_message",{payload}]"#) };
    let event = fixture.socket_event("ada", at(1), kind);
    ws_message::handle(ports(&fixture), event).await.unwrap();
    let received = fixture.pushes.messages("bob", "message_received");
    let acks = fixture.pushes.take_frames("ada");
    let [acknowledged] = acks.as_slice() else { panic!("{acks:?}") };
    let acknowledged = ack(acknowledged, "437");
    assert_eq!(acknowledged["ok"], true, "{acknowledged}");
    assert_eq!(received, [acknowledged["data"]["message"].clone()]);
    assert_eq!(received[0]["content"], "Merhaba");
    assert_eq!(received[0]["createdAt"], json!(at(1)));
}

#[tokio::test]
async fn unknown_event_is_answered_with_an_error_and_keeps_the_connection() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_connection("c", Dialect::SocketIo, &ada.identity(), at(60)).await;
    let frames = receive(&fixture, "c", at(1), r#"421["no_such_event",{}]"#).await;
    assert_eq!(ack(&frames[0], "431")["ok"], false, "{frames:?}");
    assert!(fixture.connection("c").await.is_some());
}

/// The record was lost, so only a new connection helps the client.
#[tokio::test]
async fn frame_of_an_unknown_connection_closes_its_socket() {
    let fixture = FunctionFixture::new();
    assert_eq!(receive(&fixture, "unknown", NOW, "3").await, ["CLOSE"]);
}

#[tokio::test]
async fn lambda_entry_point_replies_200_whatever_the_frame() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    let entry = websocket(move |event| ws_message::handle(ports(fixture), event));
    for body in ["3", "", "nonsense", "42{", "\u{0}"] {
        fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
        let mut event = socket_event("MESSAGE", "c", at(1));
        event["body"] = json!(body);
        assert_eq!(invoke_event(&entry, &event).await.unwrap(), json!({ "statusCode": 200 }), "{body:?}");
    }
    assert_foreign_events_fail(&entry).await;
}
