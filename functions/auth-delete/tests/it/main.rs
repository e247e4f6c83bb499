//! `auth-delete` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use serde_json::{Value, json};
use shared::auth::{Gate, Rates, Refreshed, refresh};
use shared::error::Error;
use shared::ports::{KnownAddresses as _, Sessions, Users as _};
use shared::realtime::fanout::Fanout;
use shared::user::Login;
use test_support::faulty_store::{CallFailure, FaultyStore};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, TestRequest, TestUser};
use test_support::http_function_tests;
use test_support::person::Person;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_delete::handle(
            fixture.gate(),
            &fixture.store,
            &fixture.passwords,
            fixture.fanout(),
            request,
        ))
    },
    request: |scenario| delete(&scenario.ada, Person::PASSWORD),
    status: 200,
    expected: |scenario| ("/id", json!(scenario.ada.id)),
};

http_function_tests!(authenticated: FUNCTION);

fn delete(user: &TestUser, password: &str) -> TestRequest {
    user.request("DELETE /api/auth/me").body(json!({ "currentPassword": password }))
}

/// Nothing of Ada's account can be used any more, and her names are free.
async fn assert_deleted(fixture: &FunctionFixture, ada: &TestUser) {
    let user = fixture.store.by_ids(&[ada.user_id()]).await.unwrap().remove(0);
    assert!(user.is_deleted() && user.deactivated_at.is_some());
    assert_eq!(fixture.store.by_login(&Login::Username("ada".to_owned())).await.unwrap(), None);
    assert_eq!(Sessions::list(&fixture.store, &user.id, NOW).await.unwrap(), []);
    assert!(fixture.gate().identify(&ada.access_token, NOW).await.is_err());
    let refreshed = refresh(&fixture.gate(), &ada.refresh_token, NOW, &fixture.entropy).await.unwrap();
    assert!(matches!(refreshed, Refreshed::Unknown), "{refreshed:?}");
    assert!(!fixture.store.active(NOW, None, 10).await.unwrap().contains(&user.id));
    assert_eq!(fixture.connection("ada").await, None);
    assert!(!fixture.store.knows(&user.id, "192.0.2.7").await.unwrap());
}

#[tokio::test]
async fn sessions_sockets_names_and_addresses_end_with_the_account() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &scenario.ada).await;
    fixture.store.remember(&scenario.ada.user_id(), "192.0.2.7", NOW).await.unwrap();
    FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario)).await.unwrap();
    assert_deleted(&fixture, &scenario.ada).await;
    let frames = fixture.pushes.take_frames("ada");
    let ended = json!({ "event": "session_ended", "data": { "reason": "account_deleted" } });
    assert_eq!(serde_json::from_str::<Value>(&frames[0]).unwrap(), ended);
    assert_eq!(frames[1..], ["CLOSE"]);
    fixture.gate().identify(&scenario.bob.access_token, NOW).await.unwrap();
}

#[tokio::test]
async fn every_socket_of_the_user_receives_session_ended_and_is_closed() {
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
async fn wrong_password_deletes_nothing_and_is_limited() {
    let mut fixture = FunctionFixture::new();
    fixture.rates = Rates::scaled(0.2);
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(FUNCTION.call(&fixture, &delete(&ada, "a wrong one")).await.unwrap_err().code());
    }
    assert_eq!(codes, ["VALIDATION_FAILED", "VALIDATION_FAILED", "RATE_LIMITED"]);
    fixture.gate().identify(&ada.access_token, NOW).await.unwrap();
}

#[tokio::test]
async fn repeated_deletion_finishes_what_an_outage_interrupted() {
    for (call, failure) in [
        ("delete_account", CallFailure::Unreachable),
        ("delete_account", CallFailure::ReplyLost),
        ("end_all", CallFailure::Unreachable),
        ("end_all", CallFailure::ReplyLost),
        ("of_users", CallFailure::Unreachable),
    ] {
        let fixture = FunctionFixture::new();
        let scenario = Scenario::new(&fixture).await;
        fixture.attach_json("ada", &scenario.ada).await;
        let faulty = FaultyStore::new(&fixture.store).failing(call, 1, failure);
        let gate = Gate { sessions: &faulty, ..fixture.gate() };
        let fanout = Fanout { connections: &faulty, ..fixture.fanout() };
        let request = || fixture.request(&(FUNCTION.request)(&scenario));
        let run = || auth_delete::handle(gate, &faulty, &fixture.passwords, fanout, request());
        let first = run().await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{call} {failure:?} {first:?}");
        run().await.unwrap();
        assert_deleted(&fixture, &scenario.ada).await;
    }
}

/// The token of a session that has ended deletes nothing.
#[tokio::test]
async fn token_of_an_ended_session_does_not_delete_the_account() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    Sessions::end(&fixture.store, &scenario.ada.user_id(), &scenario.ada.session_id()).await.unwrap();
    let refused = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario)).await.unwrap_err();
    assert_eq!(refused.code(), "TOKEN_REVOKED");
    fixture.gate().identify(&scenario.ada_again.access_token, NOW).await.unwrap();
}
