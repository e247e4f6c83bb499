//! `ws-heartbeat` on its own, at given times over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::time::Duration;

use serde_json::json;
use shared::connection::{Dialect, Identity};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::lambda::leak;
use shared::lambda::schedule::schedule;
use shared::ports::{Connections, Heartbeats as _, Sessions, Users as _};
use shared::realtime::ping::PingTimers;
use shared::session::Session;
use shared::time::Time;
use test_support::events::{assert_foreign_events_fail, invoke_event, schedule_event};
use test_support::fixture::{FunctionFixture, NOW, PushFailure, REFRESH_TTL, Scenario};
use ws_heartbeat::{Ports, Report};

fn at(seconds: u64) -> Time {
    NOW + Duration::from_secs(seconds)
}

fn ports(fixture: &FunctionFixture) -> Ports<'_> {
    let store = &fixture.store;
    let announcer = fixture.announcer();
    Ports { users: store, sessions: store, heartbeats: store, presence: store, last_seen: store, announcer }
}

async fn run(fixture: &FunctionFixture, now: Time) -> Report {
    let run = fixture.scheduled_run(now);
    ws_heartbeat::handle(ports(fixture), PingTimers::default(), run).await.unwrap()
}

/// A Socket.IO connection, last pinged at [`NOW`], of a user and a session with the same id.
async fn connect(fixture: &FunctionFixture, id: &str, lease_until: Time) {
    open_session(fixture, id, at(3_600)).await;
    let identity = Identity { user_id: UserId::trusted(id), session_id: SessionId::trusted(id) };
    fixture.attach_connection(id, Dialect::SocketIo, &identity, lease_until).await;
}

async fn open_session(fixture: &FunctionFixture, id: &str, expires_at: Time) {
    let session = Session {
        id: SessionId::trusted(id),
        user_id: UserId::trusted(id),
        refresh_hash: id.to_owned(),
        device: String::new(),
        created_at: NOW,
        last_seen_at: NOW,
        expires_at,
    };
    Sessions::open(&fixture.store, &session, 20).await.unwrap();
}

/// The connections that were pinged since the last call.
fn pinged(fixture: &FunctionFixture) -> Vec<String> {
    fixture.pushes.take().into_iter().filter(|(_, frame)| frame == "2").map(|(id, _)| id).collect()
}

/// A client waits 420 s for a ping.
#[tokio::test]
async fn connection_that_could_not_be_pinged_is_pinged_by_the_next_run() {
    let fixture = FunctionFixture::new();
    for id in ["fast", "slow"] {
        connect(&fixture, id, PingTimers::default().lease(NOW)).await;
    }
    fixture.pushes.fail("slow", PushFailure::Busy, u32::MAX);
    assert_eq!(run(&fixture, at(240)).await.pinged, 1);
    assert_eq!(pinged(&fixture), ["fast"]);
    fixture.pushes.recover("slow");
    assert_eq!(run(&fixture, at(300)).await.pinged, 1);
    assert_eq!(pinged(&fixture), ["slow"]);
}

#[tokio::test]
async fn live_connections_are_pinged_before_any_number_of_expired_ones_is_closed() {
    let fixture = FunctionFixture::new();
    for n in 0..1_100 {
        connect(&fixture, &format!("expired{n}"), at(1)).await;
    }
    connect(&fixture, "live", PingTimers::default().lease(NOW)).await;
    let report = run(&fixture, at(240)).await;
    assert_eq!((report.pinged, report.closed), (1, 1_100));
    let pushes = fixture.pushes.take();
    let ping = pushes.iter().position(|(id, frame)| id == "live" && frame == "2").unwrap();
    let close = pushes.iter().position(|(_, frame)| frame == "CLOSE").unwrap();
    assert!(ping < close, "a connection was closed before the ping");
}

#[tokio::test]
async fn expired_connection_is_closed_and_its_user_announced_as_offline() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    let lease = PingTimers::default().lease(NOW);
    fixture.attach_connection("ada", Dialect::Json, &ada.identity(), at(1)).await;
    fixture.attach_connection("bob", Dialect::Json, &bob.identity(), lease).await;
    let report = run(&fixture, at(60)).await;
    assert_eq!((report.closed, report.synced), (1, 1));
    assert_eq!(fixture.connection("ada").await, None);
    let pushes = fixture.pushes.take();
    let closed = pushes.iter().any(|(id, frame)| id == "ada" && frame == "CLOSE");
    let announced = pushes.iter().any(|(id, frame)| id == "bob" && frame.contains("user_offline"));
    assert!(closed && announced, "{pushes:?}");
}

/// The function that ended the session could not list its connections, or the session expired.
#[tokio::test]
async fn connections_of_sessions_that_are_not_live_are_closed_with_a_reason() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, ada_again, bob, .. } = Scenario::new(&fixture).await;
    let lease = PingTimers::default().lease(NOW);
    for (id, user) in [("phone", &ada), ("tablet", &ada), ("laptop", &ada_again), ("bob", &bob)] {
        fixture.attach_connection(id, Dialect::Json, &user.identity(), lease).await;
    }
    Sessions::end(&fixture.store, &ada.user_id(), &ada.session_id()).await.unwrap();
    assert_eq!(run(&fixture, at(60)).await.ended, 1);
    let pushes = fixture.pushes.take();
    for (id, is_open) in [("phone", false), ("tablet", false), ("laptop", true), ("bob", true)] {
        assert_eq!(fixture.connection(id).await.is_some(), is_open, "{id}");
        let frames: Vec<&str> =
            pushes.iter().filter(|(to, _)| to == id).map(|(_, frame)| frame.as_str()).collect();
        let has_reason = frames.iter().any(|frame| frame.contains("session_ended"));
        assert_eq!((has_reason, frames.contains(&"CLOSE")), (!is_open, !is_open), "{id}");
    }
    assert_eq!(run(&fixture, at(120)).await.ended, 0);
    let expiry = NOW + REFRESH_TTL;
    for id in ["laptop", "bob"] {
        fixture.store.renew_lease(&ConnectionId::trusted(id), expiry + REFRESH_TTL).await.unwrap();
    }
    assert_eq!(run(&fixture, expiry).await.ended, 2, "a session that expired closes its sockets");
}

#[tokio::test]
async fn last_seen_times_are_copied_to_the_users_documents_once() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    Connections::end(&fixture.store, &ConnectionId::trusted("ada"), at(60)).await.unwrap();
    assert_eq!(run(&fixture, at(60)).await.synced, 1);
    let stored = fixture.store.by_ids(&[ada.user_id()]).await.unwrap().remove(0);
    assert_eq!(stored.last_seen_at, at(60));
    assert_eq!(run(&fixture, at(120)).await.synced, 0);
}

#[tokio::test]
async fn lambda_entry_point_replies_with_the_report() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    connect(fixture, "c", PingTimers::default().lease(NOW)).await;
    let entry = schedule(move |run| ws_heartbeat::handle(ports(fixture), PingTimers::default(), run));
    let event = schedule_event(&at(250).to_string());
    let report = json!({ "pinged": 1, "closed": 0, "ended": 0, "corrected": 0, "announced": 0, "synced": 0 });
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), report);
    assert_foreign_events_fail(&entry).await;
}
