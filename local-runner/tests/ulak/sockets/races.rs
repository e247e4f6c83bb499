//! What a session's end must win although it comes between two steps of a connect.

use serde_json::json;
use shared::connection::{AttachOutcome, Dialect};
use shared::connection::{Connection, Identity, UpgradeToken};
use shared::id::{ConnectionId, UserId};
use shared::ports::{Connections, Presence as _, Sessions};
use shared::realtime::attach::attach;
use shared::realtime::ping::PingTimers;

use crate::functions::bench::{Bench, NOW};
use crate::functions::scene::Scene;

/// Ada behind a connection that `$connect` has let in, and her session ended since.
async fn let_in_and_logged_out(bench: &Bench, dialect: Dialect) -> (Connection, Identity) {
    let scene = Scene::of(bench).await;
    let user_id = UserId::trusted(scene.ada.id);
    let session = bench.store.list(&user_id, NOW).await.unwrap().remove(0);
    let identity = Identity { user_id: user_id.clone(), session_id: session.id.clone() };
    let connection = Connection {
        id: ConnectionId::trusted("a-connection"),
        dialect,
        identity: None,
        upgrade_token: Some(UpgradeToken::Valid(identity.clone())),
        connected_at: NOW,
        pinged_at: NOW,
        lease_until: NOW,
    };
    Connections::open(&bench.store, &connection).await.unwrap();
    Sessions::end(&bench.store, &user_id, &session.id).await.unwrap();
    bench.fanout().end_session(&session.id, "logged_out", NOW).await;
    bench.pushed.take();
    (connection, identity)
}

#[tokio::test]
async fn a_logout_between_the_upgrade_and_the_greeting_closes_the_line() {
    let bench = Bench::new();
    let (connection, _) = let_in_and_logged_out(&bench, Dialect::Json).await;
    let opening = json!({ "connectionId": connection.id, "time": NOW });
    let opening = serde_json::from_value(opening).unwrap();
    ws_open::handle(&bench.store, bench.fanout(), PingTimers::default(), opening).await.unwrap();
    let pushed = bench.pushed.take();
    assert_eq!(pushed.last().map(|(_, frame)| frame.as_str()), Some("CLOSE"), "{pushed:?}");
    assert!(bench.store.online().await.unwrap().is_empty());
    assert_eq!(bench.store.get(&connection.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_logout_between_the_look_at_the_session_and_the_attaching_leaves_nobody() {
    let bench = Bench::new();
    let (connection, identity) = let_in_and_logged_out(&bench, Dialect::SocketIo).await;
    let (id, timers) = (&connection.id, PingTimers::default());
    let admitted = attach(&bench.store, bench.fanout(), id, &identity, timers, NOW).await.unwrap();
    assert_eq!(admitted, AttachOutcome::SessionEnded);
    assert!(bench.store.online().await.unwrap().is_empty());
    assert_eq!(bench.store.get(id).await.unwrap(), None);
}
