//! `ws-open` on its own, over an embedded store. Its pauses pass on a paused clock.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shared::connection::{Connection, Dialect, UpgradeToken};
use shared::error::Error;
use shared::id::ConnectionId;
use shared::lambda::{async_event, leak};
use shared::ports::{Connections as _, Presence as _};
use shared::realtime::ping::{CONNECT_TIMEOUT, PingTimers};
use test_support::events::{assert_foreign_events_fail, invoke_event};
use test_support::fixture::{FunctionFixture, NOW, PushFailure, Scenario, TestUser};
use tokio::time::Instant;
use ws_open::Opening;

/// Stores the connection `c` as `$connect` does.
async fn accept(fixture: &FunctionFixture, dialect: Dialect, user: Option<&TestUser>) {
    let connection = Connection {
        id: ConnectionId::trusted("c"),
        dialect,
        identity: None,
        upgrade_token: user.map(|user| UpgradeToken::Valid(user.identity())),
        address: String::new(),
        connected_at: NOW,
        pinged_at: NOW,
        lease_until: NOW + CONNECT_TIMEOUT,
    };
    fixture.store.open(&connection, 0).await.unwrap();
}

async fn open(fixture: &FunctionFixture) -> Result<(), Error> {
    let opening = Opening { connection_id: ConnectionId::trusted("c"), time: NOW, tried: 0 };
    ws_open::handle(fixture.gate().sessions, fixture.announcer(), PingTimers::default(), opening).await
}

#[tokio::test]
async fn socket_io_connection_receives_the_same_open_packet_each_time() {
    let fixture = FunctionFixture::new();
    accept(&fixture, Dialect::SocketIo, None).await;
    for _ in 0..2 {
        open(&fixture).await.unwrap();
        let frames = fixture.pushes.take_frames("c");
        let [frame] = frames.as_slice() else { panic!("{frames:?}") };
        let packet: Value = serde_json::from_str(frame.strip_prefix('0').unwrap()).unwrap();
        let expected = json!({
            "sid": "c", "upgrades": [], "pingInterval": 300_000, "pingTimeout": 120_000, "maxPayload": 32_768,
        });
        assert_eq!(packet, expected);
    }
    assert_eq!(fixture.connection("c").await.unwrap().identity, None);
}

#[tokio::test]
async fn json_connection_is_greeted_and_its_user_comes_online() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("bob", &bob).await;
    accept(&fixture, Dialect::Json, Some(&ada)).await;
    open(&fixture).await.unwrap();
    let frames: Vec<(String, Value)> = fixture.pushes.take().into_iter().map(parsed).collect();
    let connected = json!({ "event": "connected", "data": { "connectionId": "c", "userId": ada.id } });
    let online = json!({ "event": "user_online", "data": { "userId": ada.id } });
    assert_eq!(frames, [("c".to_owned(), connected), ("bob".to_owned(), online)]);
    assert_eq!(fixture.connection("c").await.unwrap().identity, Some(ada.identity()));
}

fn parsed((connection, frame): (String, String)) -> (String, Value) {
    let frame = serde_json::from_str(&frame).unwrap();
    (connection, frame)
}

#[tokio::test]
async fn json_connection_of_a_user_with_too_many_is_closed_with_the_reason() {
    let mut fixture = FunctionFixture::new();
    fixture.settings.max_per_user = 1;
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    accept(&fixture, Dialect::Json, Some(&ada)).await;
    open(&fixture).await.unwrap();
    let frames = fixture.pushes.take_frames("c");
    assert!(frames[1].contains("RATE_LIMITED"), "{frames:?}");
    assert_eq!(frames[2..], ["CLOSE"]);
    assert_eq!(fixture.connection("c").await, None);
}

/// The end of the session came after the upgrade was accepted and before the connection was attached.
#[tokio::test]
async fn json_connection_is_closed_when_its_session_ended_in_the_meantime() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    accept(&fixture, Dialect::Json, Some(&ada)).await;
    assert!(fixture.gate().sessions.end(&ada.user_id(), &ada.session_id()).await.unwrap());
    fixture.fanout().end_session(&ada.session_id(), "logged_out", NOW).await;
    assert_eq!(fixture.pushes.take(), []);
    open(&fixture).await.unwrap();
    assert_eq!(fixture.pushes.take_frames("c").last().map(String::as_str), Some("CLOSE"));
    assert_eq!(fixture.connection("c").await, None);
    assert!(fixture.store.online().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn greeting_is_repeated_while_the_gateway_answers_410() {
    let fixture = FunctionFixture::new();
    accept(&fixture, Dialect::SocketIo, None).await;
    fixture.pushes.fail("c", PushFailure::Gone, 7);
    open(&fixture).await.unwrap();
    assert_eq!(fixture.pushes.take_frames("c").len(), 1);
    assert!(fixture.connection("c").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn connection_that_the_gateway_never_accepts_is_ended() {
    let fixture = FunctionFixture::new();
    accept(&fixture, Dialect::SocketIo, None).await;
    fixture.pushes.fail("c", PushFailure::Gone, u32::MAX);
    let (mut opening, mut invocations) = (json!({ "connectionId": "c", "time": NOW }), 0);
    loop {
        let started = Instant::now();
        let opened: Opening = serde_json::from_value(opening).unwrap();
        ws_open::handle(fixture.gate().sessions, fixture.announcer(), PingTimers::default(), opened)
            .await
            .unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "one invocation took {:?}", started.elapsed());
        invocations += 1;
        let Some((function, next)) = fixture.starts.take().pop() else { break };
        assert_eq!(function, "ws-open");
        opening = next;
    }
    assert_eq!(invocations, 6);
    assert_eq!(fixture.connection("c").await, None);
}

/// `$disconnect` has ended the record of a client that left right after the upgrade.
#[tokio::test(start_paused = true)]
async fn invocation_ends_soon_after_its_client_has_left() {
    let fixture = FunctionFixture::new();
    accept(&fixture, Dialect::SocketIo, None).await;
    fixture.pushes.fail("c", PushFailure::Gone, u32::MAX);
    let started = Instant::now();
    let leave = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        fixture.store.end(&ConnectionId::trusted("c"), NOW).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open(&fixture), leave);
    opened.unwrap();
    assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
    assert_eq!(fixture.starts.take(), []);
}

/// Two hundred clients a second leave right after the upgrade, while the gateway answers 410. `$disconnect` ends each
/// record within 30 ms.
#[tokio::test(start_paused = true)]
async fn at_most_ten_invocations_run_at_once_when_many_clients_leave_at_once() {
    const CLIENTS: u64 = 1_000;
    let fixture = FunctionFixture::new();
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let clients = (0..CLIENTS).map(|n| {
        let (fixture, running, most) = (&fixture, &running, &most);
        async move {
            tokio::time::sleep(Duration::from_millis(5 * n)).await;
            let id = ConnectionId::trusted(format!("c{n}"));
            fixture.pushes.fail(id.as_str(), PushFailure::Gone, u32::MAX);
            fixture.open_connection(id.as_str(), Dialect::SocketIo, NOW + CONNECT_TIMEOUT).await;
            let invocation = async {
                let started = Instant::now();
                most.fetch_max(1 + running.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                let opening = Opening { connection_id: id.clone(), time: NOW, tried: 0 };
                let (sessions, timers) = (fixture.gate().sessions, PingTimers::default());
                ws_open::handle(sessions, fixture.announcer(), timers, opening).await.unwrap();
                running.fetch_sub(1, Ordering::Relaxed);
                assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
            };
            let leave = async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                fixture.store.end(&id, NOW).await.unwrap();
            };
            tokio::join!(invocation, leave);
        }
    });
    futures::future::join_all(clients).await;
    let most = most.load(Ordering::Relaxed);
    assert!((1..=10).contains(&most), "{most} at once");
    assert_eq!(fixture.starts.take(), []);
}

/// Lambda then invokes the function again.
#[tokio::test]
async fn gateway_that_does_not_answer_fails_the_invocation() {
    let fixture = FunctionFixture::new();
    accept(&fixture, Dialect::SocketIo, None).await;
    fixture.pushes.fail("c", PushFailure::Failed, 1);
    let failed = open(&fixture).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    open(&fixture).await.unwrap();
    assert_eq!(fixture.pushes.take_frames("c").len(), 1);
}

#[tokio::test]
async fn lambda_entry_point_greets_the_connection_and_ignores_unknown_ones() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    let entry = async_event(move |opening: Opening| {
        ws_open::handle(fixture.gate().sessions, fixture.announcer(), PingTimers::default(), opening)
    });
    let event = json!({ "connectionId": "c", "time": NOW });
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), Value::Null);
    assert_eq!(fixture.pushes.take(), []);
    accept(fixture, Dialect::SocketIo, None).await;
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), Value::Null);
    assert_eq!(fixture.pushes.take_frames("c").len(), 1);
    assert_foreign_events_fail(&entry).await;
}
