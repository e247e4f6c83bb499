//! A socket that misses an event is closed before anything later is sent on it, and a reconnect fills the gap.

use serde_json::{Value, json};
use shared::connection::Dialect;
use shared::lambda::websocket::SocketEventKind;
use test_support::fixture::{FunctionFixture, NOW, PushFailure, Scenario};

use super::{at, ports, receive};

/// Ada sends a message over her connection `ada`; returns its `seq`.
async fn send(fixture: &FunctionFixture, conversation: &str, content: &str) -> u64 {
    let payload = json!({ "conversationId": conversation, "content": content });
    let kind = SocketEventKind::Message { body: format!(r#"427["send_message",{payload}]"#) };
    ws_message::handle(ports(fixture), fixture.socket_event("ada", at(1), kind)).await.unwrap();
    let pushed = fixture.pushes.pushed();
    let ack = pushed.iter().rev().find_map(|(id, frame)| frame.strip_prefix("437").filter(|_| id == "ada"));
    let ack: Value = serde_json::from_str(ack.unwrap()).unwrap();
    ack[0]["data"]["message"]["seq"].as_u64().unwrap()
}

async fn fixture() -> (FunctionFixture, Scenario) {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    for (id, user) in [("ada", &scenario.ada), ("bob", &scenario.bob), ("bob-phone", &scenario.bob)] {
        fixture.attach_connection(id, Dialect::SocketIo, &user.identity(), at(60)).await;
    }
    (fixture, scenario)
}

#[tokio::test(start_paused = true)]
async fn socket_that_misses_a_message_is_closed_before_a_later_one_is_pushed() {
    for failure in [PushFailure::Busy, PushFailure::Failed] {
        let (fixture, Scenario { conversation, .. }) = fixture().await;
        let tries = if failure == PushFailure::Busy { 5 } else { 1 };
        fixture.pushes.fail("bob", failure, tries);
        send(&fixture, &conversation, "missed").await;
        send(&fixture, &conversation, "later").await;
        assert_eq!(fixture.connection("bob").await, None, "{failure:?}");
        let pushed = fixture.pushes.take();
        let frames = |id: &str| pushed.iter().filter(|(to, _)| to == id).count();
        assert_eq!(frames("bob-phone"), 2, "the other device receives both");
        let bob: Vec<&str> = pushed.iter().filter(|(to, _)| to == "bob").map(|(_, f)| f.as_str()).collect();
        assert_eq!(bob, ["CLOSE"], "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn short_throttle_loses_nothing_and_closes_nothing() {
    let (fixture, Scenario { conversation, .. }) = fixture().await;
    fixture.pushes.fail("bob", PushFailure::Busy, 4);
    send(&fixture, &conversation, "late").await;
    assert!(fixture.connection("bob").await.is_some());
    assert_eq!(fixture.pushes.take_frames("bob").len(), 1);
}

/// The client has a later message than the one it misses: two invocations pushed at the same time.
#[tokio::test(start_paused = true)]
async fn reconnect_replays_a_missed_message_although_the_client_has_a_later_one() {
    let (fixture, Scenario { bob, conversation, .. }) = fixture().await;
    fixture.pushes.fail("bob", PushFailure::Failed, 1);
    let missed = send(&fixture, &conversation, "missed").await;
    let later = send(&fixture, &conversation, "later").await;
    fixture.pushes.take();
    fixture.open_connection("bob-again", Dialect::SocketIo, at(45)).await;
    let auth = json!({ "token": bob.access_token, "lastSeq": { conversation: later } });
    let frames = receive(&fixture, "bob-again", at(2), &format!("40{auth}")).await;
    let replayed: Vec<u64> = frames
        .iter()
        .filter_map(|frame| serde_json::from_str::<Value>(frame.strip_prefix("42")?).ok())
        .map(|event| event[1]["message"]["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(replayed, [missed, later], "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn socket_that_misses_an_answer_is_closed() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_connection("c", Dialect::SocketIo, &ada.identity(), at(60)).await;
    fixture.pushes.fail("c", PushFailure::Busy, 5);
    assert_eq!(receive(&fixture, "c", NOW, r#"421["online_users"]"#).await, ["CLOSE"]);
    assert_eq!(fixture.connection("c").await, None);
}
