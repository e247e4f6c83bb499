//! `auth-logout` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use shared::auth::{Gate, Refreshed, refresh};
use shared::error::{Error, Unauthenticated};
use shared::ports::LastSeen as _;
use shared::realtime::fanout::Fanout;
use test_support::faulty_store::{CallFailure, FaultyStore};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, PushFailure, Scenario, TestUser};
use test_support::http_function_tests;

const LOGOUT: &str = "POST /api/auth/logout";

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(auth_logout::handle(fixture.gate(), fixture.fanout(), request)),
    request: |scenario| scenario.ada.request(LOGOUT).body(json!({ "everywhere": true })),
    status: 200,
    expected: |_| ("/ended", json!(2)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn tokens_of_the_session_are_revoked_at_once() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, ada_again, .. } = Scenario::new(&fixture).await;
    FUNCTION.call(&fixture, &ada.request(LOGOUT)).await.unwrap();
    let refused = fixture.gate().identify(&ada.access_token, NOW).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(Unauthenticated::Revoked))), "{refused:?}");
    let refreshed = refresh(&fixture.gate(), &ada.refresh_token, NOW, &fixture.entropy).await.unwrap();
    assert!(matches!(refreshed, Refreshed::Unknown), "{refreshed:?}");
    fixture.gate().identify(&ada_again.access_token, NOW).await.unwrap();
}

/// Both of Ada's connections belong to the session that ends. Her departure is announced later.
#[tokio::test]
async fn logout_closes_the_sessions_sockets() {
    FUNCTION
        .assert_pushes(&[
            "ada-laptop CLOSE",
            "ada-laptop session_ended",
            "ada-phone CLOSE",
            "ada-phone session_ended",
        ])
        .await;
}

#[tokio::test]
async fn closed_sockets_receive_the_reason_logged_out() {
    FUNCTION.assert_second_session_ends("logged_out").await;
}

/// The event `user_offline` that Bob received about a user.
fn offline_event(fixture: &FunctionFixture, user: &TestUser) -> Value {
    let frames = fixture.pushes.take_frames("bob").into_iter();
    let mut events = frames.map(|frame| serde_json::from_str::<Value>(&frame).unwrap());
    let found = events.find(|event| event["data"]["userId"] == user.id.as_str()).unwrap();
    assert_eq!(found["event"], "user_offline");
    found
}

/// The announced time is the stored one, also of a user whose broken connection is found by the announcement.
#[tokio::test]
async fn offline_event_and_stored_last_seen_have_the_same_time() {
    let later = NOW + Duration::from_secs(60);
    for eve_is_gone in [false, true] {
        let fixture = FunctionFixture::new();
        let scenario = Scenario::new(&fixture).await;
        fixture.attach_json("bob", &scenario.bob).await;
        fixture.attach_json("ada", &scenario.ada).await;
        let mut leaving = &scenario.ada;
        if eve_is_gone {
            fixture.attach_json("eve", &scenario.eve).await;
            fixture.pushes.fail("eve", PushFailure::Gone, u32::MAX);
            leaving = &scenario.eve;
        }
        FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(later)).await.unwrap();
        // The first announcement finds that Eve is gone, the second announces that.
        let grace = fixture.settings.grace;
        for announced_at in [later + grace, later + grace + grace] {
            fixture.announce(announced_at).await;
        }
        let left_at = if eve_is_gone { later + grace } else { later };
        let event = offline_event(&fixture, leaving);
        assert_eq!(event["data"]["lastSeenAt"], json!(left_at), "{eve_is_gone}");
        let stored = fixture.store.times_of(&[leaving.user_id()]).await.unwrap();
        assert_eq!(stored, [(leaving.user_id(), left_at)], "{eve_is_gone}");
    }
}

/// The sockets cannot be listed, or the answer of the session store is lost: the client repeats its request, and nothing
/// of the session is left.
#[tokio::test]
async fn repeated_logout_finishes_what_an_outage_interrupted() {
    for (call, failure) in [
        ("of_session", CallFailure::Unreachable),
        ("end_session", CallFailure::Unreachable),
        ("end_session", CallFailure::ReplyLost),
        ("end_all", CallFailure::ReplyLost),
    ] {
        let fixture = FunctionFixture::new();
        let Scenario { ada, .. } = Scenario::new(&fixture).await;
        fixture.attach_json("ada", &ada).await;
        let faulty = FaultyStore::new(&fixture.store).failing(call, 1, failure);
        let gate = Gate { sessions: &faulty, ..fixture.gate() };
        let fanout = Fanout { connections: &faulty, ..fixture.fanout() };
        let request = ada.request(LOGOUT).body(json!({ "everywhere": call == "end_all" }));
        let first = auth_logout::handle(gate, fanout, fixture.request(&request)).await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{call} {first:?}");
        auth_logout::handle(gate, fanout, fixture.request(&request)).await.unwrap();
        assert_eq!(fixture.connection("ada").await, None, "{call} {failure:?}");
        assert!(fixture.gate().identify(&ada.access_token, NOW).await.is_err(), "{call} {failure:?}");
    }
}

/// The owner has revoked a stolen token; it must not end the owner's other sessions.
#[tokio::test]
async fn token_of_an_ended_session_ends_no_other_session() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, ada_again, .. } = Scenario::new(&fixture).await;
    FUNCTION.call(&fixture, &ada.request(LOGOUT)).await.unwrap();
    let everywhere = ada.request(LOGOUT).body(json!({ "everywhere": true }));
    let reply = FUNCTION.call(&fixture, &everywhere).await.unwrap();
    assert_eq!(reply.data()["ended"], 0);
    fixture.gate().identify(&ada_again.access_token, NOW).await.unwrap();
}
