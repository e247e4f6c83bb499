//! `ws-disconnect` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use shared::lambda::leak;
use shared::lambda::websocket::{SocketEventKind, SocketReply, websocket};
use shared::ports::LastSeen as _;
use test_support::events::{assert_foreign_events_fail, invoke_event, socket_event};
use test_support::fixture::{FunctionFixture, NOW, Scenario};

/// Disconnects a connection a minute after [`NOW`].
async fn disconnect(fixture: &FunctionFixture, connection: &str) {
    let kind = SocketEventKind::Disconnect { code: Some(1001), reason: Some("going away".to_owned()) };
    let event = fixture.socket_event(connection, NOW + Duration::from_secs(60), kind);
    assert_eq!(ws_disconnect::handle(fixture.fanout(), event).await.unwrap(), SocketReply::ok());
}

#[tokio::test]
async fn only_the_users_last_disconnect_is_announced_and_only_after_the_grace() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    for (id, user) in [("laptop", &ada), ("phone", &ada), ("bob", &bob)] {
        fixture.attach_json(id, user).await;
    }
    disconnect(&fixture, "laptop").await;
    assert_eq!(fixture.connection("laptop").await, None);
    assert_eq!(fixture.pushes.take(), []);

    let later = NOW + Duration::from_secs(60);
    disconnect(&fixture, "phone").await;
    fixture.announce(later + Duration::from_millis(1_999)).await;
    assert_eq!(fixture.pushes.take(), []);
    fixture.announce(later + Duration::from_secs(2)).await;
    let frames = fixture.pushes.take_frames("bob");
    let [frame] = frames.as_slice() else { panic!("{frames:?}") };
    let offline = json!({ "event": "user_offline", "data": { "userId": ada.id, "lastSeenAt": later } });
    assert_eq!(serde_json::from_str::<Value>(frame).unwrap(), offline);
    assert_eq!(fixture.store.times_of(&[ada.user_id()]).await.unwrap(), [(ada.user_id(), later)]);
}

#[tokio::test]
async fn repeated_and_unknown_disconnects_change_nothing() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    fixture.attach_json("bob", &bob).await;
    disconnect(&fixture, "ada").await;
    fixture.pushes.take();
    disconnect(&fixture, "ada").await;
    disconnect(&fixture, "unknown").await;
    assert_eq!(fixture.pushes.take(), []);
    assert!(fixture.connection("bob").await.is_some());
}

#[tokio::test]
async fn lambda_entry_point_ends_the_connection() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    let Scenario { ada, .. } = Scenario::new(fixture).await;
    fixture.attach_json("ada", &ada).await;
    let entry = websocket(move |event| ws_disconnect::handle(fixture.fanout(), event));
    let event = socket_event("DISCONNECT", "ada", NOW);
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), json!({ "statusCode": 200 }));
    assert_eq!(fixture.connection("ada").await, None);
    assert_foreign_events_fail(&entry).await;
}
