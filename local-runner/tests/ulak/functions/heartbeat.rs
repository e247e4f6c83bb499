//! The heartbeat: who lives is pinged in time, whatever becomes of the others.

use std::time::Duration;

use shared::connection::Dialect;
use shared::connection::{Connection, Identity};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::lambda::schedule::ScheduledRun;
use shared::lambda::websocket::{SocketEvent, SocketEventKind};
use shared::ports::Connections as _;
use shared::realtime::ping::PingTimers;
use shared::time::Time;
use ws_heartbeat::Report;

use super::bench::{Bench, NOW};

fn at(seconds: u64) -> Time {
    NOW + Duration::from_secs(seconds)
}

/// A Socket.IO connection of a user with the same name, last heard of at NOW.
async fn open(bench: &Bench, id: &str, lease_until: Time) {
    let connection = Connection {
        id: ConnectionId::trusted(id),
        dialect: Dialect::SocketIo,
        identity: None,
        upgrade_token: None,
        connected_at: NOW,
        pinged_at: NOW,
        lease_until,
    };
    bench.store.open(&connection).await.unwrap();
    let identity = Identity { user_id: UserId::trusted(id), session_id: SessionId::trusted(id) };
    bench.store.attach(&connection.id, &identity, lease_until).await.unwrap();
}

async fn beat(bench: &Bench, now: Time) -> Report {
    let store = &bench.store;
    let ports = ws_heartbeat::Ports {
        users: store,
        heartbeats: store,
        presence: store,
        last_seen: store,
        fanout: bench.fanout(),
    };
    let tick = ScheduledRun { id: "a-tick".to_owned(), now, entropy: bench.entropy.clone(), budget: None };
    ws_heartbeat::handle(ports, PingTimers::default(), tick).await.unwrap()
}

/// Who was pinged since the last look.
fn pinged(bench: &Bench) -> Vec<String> {
    bench.pushed.take().into_iter().filter(|(_, frame)| frame == "2").map(|(id, _)| id).collect()
}

#[tokio::test]
async fn a_ping_that_did_not_arrive_is_sent_by_the_next_run() {
    let bench = Bench::new();
    for id in ["well", "slow"] {
        open(&bench, id, PingTimers::default().lease(NOW)).await;
    }
    bench.pushed.only_busy(&["slow"]);
    assert_eq!(beat(&bench, at(240)).await.pinged, 1);
    assert_eq!(pinged(&bench), ["well"]);
    bench.pushed.only_busy(&[]);
    assert_eq!(beat(&bench, at(300)).await.pinged, 1, "in time for a client that waits for 420 s");
    assert_eq!(pinged(&bench), ["slow"]);
}

#[tokio::test]
async fn the_dead_keep_nobody_waiting_however_many_they_are() {
    let bench = Bench::new();
    for n in 0..1_100 {
        open(&bench, &format!("dead{n}"), at(1)).await;
    }
    open(&bench, "living", PingTimers::default().lease(NOW)).await;
    let report = beat(&bench, at(240)).await;
    assert_eq!((report.pinged, report.closed), (1, 1_100));
    let told = bench.pushed.take();
    let first = told.iter().position(|(id, frame)| id == "living" && frame == "2").unwrap();
    let closed = told.iter().position(|(_, frame)| frame == "CLOSE").unwrap();
    assert!(first < closed, "the ping comes before the burials");
}

#[tokio::test]
async fn whatever_somebody_says_is_a_sign_of_life() {
    let bench = Bench::new();
    let timers = PingTimers::default();
    open(&bench, "talking", timers.lease(NOW)).await;
    let ports = ws_message::Ports {
        gate: bench.gate(),
        chat: bench.chat(),
        heartbeats: &bench.store,
        presence: &bench.store,
        timers,
    };
    let id = ConnectionId::trusted("talking");
    for (second, expected) in [(100, timers.lease(NOW)), (400, timers.lease(at(400)))] {
        let event = SocketEvent {
            id: "a-frame".to_owned(),
            connection_id: id.clone(),
            source_ip: "192.0.2.7".to_owned(),
            now: at(second),
            entropy: bench.entropy.clone(),
            kind: SocketEventKind::Message { body: r#"421["online_users"]"#.to_owned() },
        };
        ws_message::handle(ports, event).await.unwrap();
        let lease_until = bench.store.get(&id).await.unwrap().unwrap().lease_until;
        assert_eq!(lease_until, expected, "after {second} s: written down when half of it is over");
    }
}
