//! `presence-user` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::id::ConnectionId;
use shared::ports::{Connections, LastSeen as _, Users as _};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(presence_user::handle(
            fixture.gate(),
            &fixture.store,
            &fixture.store,
            &fixture.store,
            request,
        ))
    },
    request: |scenario| {
        scenario.ada.request("GET /api/user/online/{userId}").path("userId", &scenario.bob.id)
    },
    status: 200,
    expected: |_| ("/online", json!(false)),
};

http_function_tests!(authenticated: FUNCTION);

/// The connection store knows the time of the last disconnect first; the heartbeat copies it to the user's document.
#[tokio::test]
async fn last_seen_is_the_time_of_the_last_disconnect_before_and_after_it_is_synced() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let (bob, later) = (scenario.bob.user_id(), NOW + Duration::from_secs(60));
    let store = &fixture.store;
    fixture.attach_json("bob", &scenario.bob).await;
    let request = (FUNCTION.request)(&scenario);
    let online = FUNCTION.call(&fixture, &request).await.unwrap();
    assert_eq!(online.data()["online"], true);

    Connections::end(store, &ConnectionId::trusted("bob"), later).await.unwrap();
    let expected = json!({ "userId": bob, "online": false, "lastSeenAt": later });
    assert_eq!(*FUNCTION.call(&fixture, &request).await.unwrap().data(), expected);

    store.mark_seen(&bob, later).await.unwrap();
    store.mark_synced(&[(bob, later)]).await.unwrap();
    assert_eq!(*FUNCTION.call(&fixture, &request).await.unwrap().data(), expected);
}
