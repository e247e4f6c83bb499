//! Every frame counts toward a limit, also those that are no events.

use serde_json::{Value, json};
use shared::auth::Rates;
use shared::connection::Dialect;
use test_support::fixture::{FunctionFixture, NOW, Scenario};

use super::{ack, at, receive};

/// At a scale of 0.01 a user sends 30 frames a minute; CONNECT and DISCONNECT cost ten.
async fn limited() -> (FunctionFixture, Scenario) {
    let mut fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    fixture.rates =
        Rates { frames_by_connection: Rates::scaled(1.0).frames_by_connection, ..Rates::scaled(0.01) };
    (fixture, scenario)
}

#[tokio::test]
async fn alternating_connect_and_disconnect_is_refused_and_closed() {
    let (fixture, Scenario { ada, .. }) = limited().await;
    fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
    let connect = format!("40{}", json!({ "token": ada.access_token }));
    let mut frames = Vec::new();
    for _ in 0..3 {
        frames.extend(receive(&fixture, "c", NOW, &connect).await);
        frames.extend(receive(&fixture, "c", NOW, "41").await);
    }
    let accepted = frames.iter().filter(|frame| frame.starts_with("40")).count();
    assert_eq!((accepted, frames.last().map(String::as_str)), (2, Some("CLOSE")), "{frames:?}");
    assert_eq!(fixture.connection("c").await, None);
}

#[tokio::test]
async fn connect_over_the_users_limit_says_so_before_the_close() {
    let (fixture, Scenario { ada, .. }) = limited().await;
    let connect = format!("40{}", json!({ "token": ada.access_token }));
    for n in 0..4 {
        let id = format!("c{n}");
        fixture.open_connection(&id, Dialect::SocketIo, at(45)).await;
        let frames = receive(&fixture, &id, NOW, &connect).await;
        if n < 3 {
            assert!(frames[0].starts_with("40"), "{frames:?}");
            continue;
        }
        let refusal: Value = serde_json::from_str(frames[0].strip_prefix("44").unwrap()).unwrap();
        assert_eq!(refusal["data"]["code"], "RATE_LIMITED", "{refusal}");
        assert_eq!(frames[1..], ["CLOSE"]);
    }
}

#[tokio::test]
async fn pongs_and_nonsense_over_the_limit_close_the_connection() {
    for frame in ["3", "6", "nonsense"] {
        let (fixture, Scenario { ada, .. }) = limited().await;
        let dialect = if frame == "nonsense" { Dialect::Json } else { Dialect::SocketIo };
        fixture.attach_connection("c", dialect, &ada.identity(), at(60)).await;
        let mut sent = 0;
        while fixture.connection("c").await.is_some() {
            receive(&fixture, "c", NOW, frame).await;
            sent += 1;
            assert!(sent <= 31, "{frame}");
        }
        assert_eq!(sent, 31, "{frame}");
    }
}

#[tokio::test]
async fn event_over_the_limit_is_answered_and_keeps_the_connection() {
    let (fixture, Scenario { ada, .. }) = limited().await;
    fixture.attach_connection("c", Dialect::SocketIo, &ada.identity(), at(60)).await;
    for n in 0..31 {
        let frames = receive(&fixture, "c", NOW, r#"421["online_users"]"#).await;
        assert_eq!(ack(&frames[0], "431")["ok"], n < 30, "{n}");
    }
    assert!(fixture.connection("c").await.is_some());
}

#[tokio::test]
async fn connection_before_connect_has_a_limit_of_its_own() {
    let mut fixture = FunctionFixture::new();
    fixture.rates = Rates::scaled(0.05);
    fixture.open_connection("c", Dialect::SocketIo, at(45)).await;
    for _ in 0..5 {
        receive(&fixture, "c", NOW, "3").await;
        assert!(fixture.connection("c").await.is_some());
    }
    assert_eq!(receive(&fixture, "c", NOW, "3").await, ["CLOSE"]);
}

#[tokio::test]
async fn connections_of_one_user_are_limited() {
    let mut fixture = FunctionFixture::new();
    fixture.settings.max_per_user = 2;
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let connect = format!("40{}", json!({ "token": ada.access_token }));
    for (id, answer) in [("one", "40"), ("two", "40"), ("three", "44")] {
        fixture.open_connection(id, Dialect::SocketIo, at(45)).await;
        let frames = receive(&fixture, id, NOW, &connect).await;
        assert!(frames[0].starts_with(answer), "{id}: {frames:?}");
    }
    assert_eq!(fixture.connection("three").await, None);
    assert!(fixture.connection("one").await.is_some());
}

/// CONNECT costs ten, a conversation one and a page ten.
#[tokio::test]
async fn replay_ends_when_the_users_limit_is_used_up() {
    let (mut fixture, Scenario { ada, conversation, .. }) = limited().await;
    fixture.rates.events_by_user.count = 35;
    for (n, complete) in [true, false].into_iter().enumerate() {
        let id = format!("c{n}");
        fixture.open_connection(&id, Dialect::SocketIo, at(45)).await;
        let auth = json!({ "token": ada.access_token, "lastSeq": { &conversation: 0 } });
        let frames = receive(&fixture, &id, NOW, &format!("40{auth}")).await;
        let incomplete = frames.iter().any(|frame| frame.starts_with(r#"42["replay_incomplete""#));
        let messages = frames.iter().filter(|frame| frame.contains("\"message\":")).count();
        assert_eq!((incomplete, messages), if complete { (false, 2) } else { (true, 0) }, "{frames:?}");
    }
}
