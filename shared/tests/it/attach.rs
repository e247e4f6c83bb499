//! `attach`, when a session ends between two of its steps.

use shared::connection::{AttachOutcome, Dialect};
use shared::id::ConnectionId;
use shared::ports::{Presence as _, Sessions as _};
use shared::realtime::attach::attach;
use shared::realtime::ping::PingTimers;
use test_support::fixture::{FunctionFixture, NOW, Scenario};

/// Ending a session closes its attached sockets, but this one is attached only afterwards.
#[tokio::test]
async fn session_that_ended_before_the_attach_leaves_no_connection_and_no_online_user() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.open_connection("c", Dialect::SocketIo, NOW).await;
    assert!(fixture.store.end(&ada.user_id(), &ada.session_id()).await.unwrap());
    fixture.fanout().end_session(&ada.session_id(), "logged_out", NOW).await;

    let (id, timers) = (ConnectionId::trusted("c"), PingTimers::default());
    let outcome =
        attach(&fixture.store, fixture.announcer(), &id, &ada.identity(), timers, NOW).await.unwrap();
    assert_eq!(outcome, AttachOutcome::SessionEnded);
    assert!(fixture.store.online().await.unwrap().is_empty());
    assert_eq!(fixture.connection("c").await, None);
}
