//! What HTTP functions tell sockets: every change reaches every device that it concerns, and nobody else.

use serde_json::{Value, json};
use shared::connection::{Connection, Identity};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::ports::Connections as _;
use shared::realtime::codec::Dialect;

use super::bench::{Bench, NOW};
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
        claimed: None,
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
