//! What HTTP functions tell sockets: every change reaches every device that it concerns, and nobody else.

use serde_json::{Value, json};
use shared::connection::Dialect;
use shared::connection::{Connection, Identity};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::lambda::schedule::ScheduledRun;
use shared::ports::{Connections as _, Users as _};
use shared::realtime::ping::PingTimers;

use super::bench::{Ask, Bench, NOW};
use super::rows::rows;
use super::scene::{Known, Scene};

/// Opens a socket of somebody's, in the plain JSON dialect.
async fn open(bench: &Bench, id: &str, who: &Known) {
    let id = ConnectionId::trusted(id);
    let session = SessionId::trusted(who.refresh.split_once('.').unwrap().0);
    let identity = Identity { user_id: UserId::trusted(&who.id), session_id: session };
    let connection = Connection {
        id: id.clone(),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        connected_at: NOW,
        pinged_at: NOW,
        lease_until: NOW,
    };
    bench.store.open(&connection).await.unwrap();
    bench.store.attach(&id, &identity, NOW).await.unwrap();
}

/// What each function pushes, as `connection event`, sorted.
const TOLD: [(&str, &[&str]); 9] = [
    ("message-send", &["ada-laptop message_sent", "ada-phone message_sent", "bob message_received"]),
    ("message-edit", &["ada-laptop message_updated", "ada-phone message_updated", "bob message_updated"]),
    ("message-delete", &["ada-laptop message_deleted", "ada-phone message_deleted", "bob message_deleted"]),
    ("message-read", &["ada-laptop message_read", "ada-phone message_read", "bob message_read"]),
    ("conversation-read", &["ada-laptop message_read", "ada-phone message_read", "bob message_read"]),
    // Both of ada's sockets belong to the session that ends: for bob and eve she goes offline.
    (
        "auth-logout",
        &[
            "ada-laptop CLOSE",
            "ada-laptop session_ended",
            "ada-phone CLOSE",
            "ada-phone session_ended",
            "bob user_offline",
            "eve user_offline",
        ],
    ),
    ("user-profile", &[]),
    ("message-list", &[]),
    ("auth-login", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_device_that_is_concerned_is_told_and_nobody_else() {
    for (function, expected) in TOLD {
        let row = rows().into_iter().find(|row| row.function == function).unwrap();
        let bench = Bench::new();
        let scene = Scene::of(&bench).await;
        for (id, who) in
            [("ada-laptop", &scene.ada), ("ada-phone", &scene.ada), ("bob", &scene.bob), ("eve", &scene.eve)]
        {
            open(&bench, id, who).await;
        }
        bench.pushed.take();
        let reply = (row.handle)(&bench, bench.request(&(row.ask)(&scene))).await.unwrap();
        let pushed = bench.pushed.take();
        let mut told: Vec<String> =
            pushed.iter().map(|(id, frame)| format!("{id} {}", name(frame))).collect();
        told.sort();
        assert_eq!(told, expected, "{function}");
        for (_, frame) in pushed.iter().filter(|(_, frame)| frame.contains("\"message\":")) {
            let frame: Value = serde_json::from_str(frame).unwrap();
            assert_eq!(
                frame["data"]["message"],
                reply.data()["message"],
                "{function}: as the caller was told"
            );
        }
    }
}

fn name(frame: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(frame).ok();
    parsed.map_or_else(|| frame.to_owned(), |frame| frame["event"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_sessions_say_why() {
    for (function, reason) in [
        ("auth-logout", "logged_out"),
        ("auth-session-end", "session_deleted"),
        ("user-profile", "password_changed"),
    ] {
        let row = rows().into_iter().find(|row| row.function == function).unwrap();
        let bench = Bench::new();
        let scene = Scene::of(&bench).await;
        let second =
            Known { refresh: format!("{}.x", scene.session), token: String::new(), id: scene.ada.id.clone() };
        open(&bench, "second", &second).await;
        (row.handle)(&bench, bench.request(&(row.ask)(&scene))).await.unwrap();
        let frames: Vec<String> = bench.pushed.take().into_iter().map(|(_, frame)| frame).collect();
        let ended: Value = serde_json::from_str(&frames[0]).unwrap();
        assert_eq!(ended, json!({ "event": "session_ended", "data": { "reason": reason } }), "{function}");
        assert_eq!(frames[1..], ["CLOSE"], "{function}");
    }
}

/// When `who` was seen last, as bob is told by REST.
async fn last_seen(bench: &Bench, scene: &Scene, who: &Known) -> Value {
    let row = rows().into_iter().find(|row| row.function == "presence-user").unwrap();
    let token = Some(scene.bob.token.clone());
    let ask = Ask { token, path: vec![("userId", who.id.clone())], ..(row.ask)(scene) };
    let reply = (row.handle)(bench, bench.request(&ask)).await.unwrap();
    assert_eq!(reply.data()["online"], false);
    reply.data()["lastSeenAt"].clone()
}

/// A push may be the first to meet a line that was cut, and a logout ends lines without waiting for the
/// gateway: whoever finds the last line gone, what is announced is what REST says from then on.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_an_edge_is_the_same_for_everybody_whoever_met_it() {
    for function in ["message-send", "auth-logout"] {
        let bench = Bench::new();
        let scene = Scene::of(&bench).await;
        open(&bench, "bob", &scene.bob).await;
        let (leaver, asker) = match function {
            "message-send" => {
                open(&bench, "eve", &scene.eve).await;
                bench.pushed.lose("eve");
                // Ada's coming offline is what meets eve's cut line.
                open(&bench, "ada", &scene.ada).await;
                (&scene.eve, "auth-logout")
            }
            other => {
                open(&bench, "ada", &scene.ada).await;
                (&scene.ada, other)
            }
        };
        bench.pushed.take();
        let row = rows().into_iter().find(|row| row.function == asker).unwrap();
        let mut request = bench.request(&(row.ask)(&scene));
        request.now = NOW + std::time::Duration::from_secs(60);
        let later = request.now;
        (row.handle)(&bench, request).await.unwrap();

        let frames = bench.pushed.take().into_iter().filter(|(id, _)| id == "bob");
        let told: Vec<Value> = frames.map(|(_, frame)| serde_json::from_str(&frame).unwrap()).collect();
        let offline = told.iter().find(|frame| frame["data"]["userId"] == leaver.id.as_str()).unwrap();
        assert_eq!(offline["event"], "user_offline", "{function}");
        assert_eq!(offline["data"]["lastSeenAt"], json!(later), "{function}");
        assert_eq!(last_seen(&bench, &scene, leaver).await, json!(later), "{function}: REST at once");

        let store = &bench.store;
        let ports = ws_heartbeat::Ports {
            users: store,
            heartbeats: store,
            presence: store,
            last_seen: store,
            fanout: bench.fanout(),
        };
        let tick = ScheduledRun {
            id: "a-tick".to_owned(),
            now: later,
            entropy: bench.entropy.clone(),
            budget: None,
        };
        let report = ws_heartbeat::handle(ports, PingTimers::default(), tick).await.unwrap();
        assert!(report.synced >= 1, "{function}: {report:?}");
        let stored = store.by_ids(&[UserId::trusted(&leaver.id)]).await.unwrap().remove(0);
        assert_eq!(stored.last_seen_at, later, "{function}: and in the document after the heartbeat");
        assert_eq!(last_seen(&bench, &scene, leaver).await, json!(later), "{function}");
    }
}
