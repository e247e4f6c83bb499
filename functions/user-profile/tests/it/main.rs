//! `user-profile` on its own, over an embedded store.

use serde_json::json;
use shared::auth::{Gate, Password, Rates, open_session};
use shared::error::Error;
use shared::ports::{Sessions, Users as _};
use test_support::faulty_store::{CallFailure, FaultyStore};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario};
use test_support::http_function_tests;
use test_support::person::Person;

const NEW_PASSWORD: &str = "twelve horses";

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(user_profile::handle(
            fixture.gate(),
            &fixture.store,
            &fixture.passwords,
            fixture.fanout(),
            request,
        ))
    },
    request: |scenario| {
        let form = json!({
            "displayName": "Ada L.", "password": NEW_PASSWORD, "currentPassword": Person::PASSWORD,
        });
        scenario.ada.request("PUT /api/user/profile").body(form)
    },
    status: 200,
    expected: |_| ("/user/displayName", json!("Ada L.")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn sockets_of_the_callers_own_session_receive_nothing() {
    FUNCTION.assert_pushes(&[]).await;
}

#[tokio::test]
async fn closed_sockets_of_other_sessions_receive_the_reason_password_changed() {
    FUNCTION.assert_second_session_ends("password_changed").await;
}

/// Each step of a password change fails once, before or after it took effect. The client repeats its request, and
/// afterwards the new password is the only one and the other sessions have ended.
#[tokio::test]
async fn repeated_password_change_finishes_what_an_outage_interrupted() {
    for (call, failure) in [
        ("end_all", CallFailure::Unreachable),
        ("end_all", CallFailure::ReplyLost),
        ("update", CallFailure::Unreachable),
        ("update", CallFailure::ReplyLost),
    ] {
        let fixture = FunctionFixture::new();
        let scenario = Scenario::new(&fixture).await;
        let faulty = FaultyStore::new(&fixture.store).failing(call, 1, failure);
        let gate = Gate { sessions: &faulty, ..fixture.gate() };
        let request = || fixture.request(&(FUNCTION.request)(&scenario));
        let change = || user_profile::handle(gate, &faulty, &fixture.passwords, fixture.fanout(), request());
        let first = change().await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{call} {first:?}");
        change().await.unwrap();
        let user = fixture.store.by_ids(&[scenario.ada.user_id()]).await.unwrap().remove(0);
        let new = Password::for_comparison(NEW_PASSWORD).unwrap();
        assert!(
            fixture.passwords.matches(new, Some(&user.password_hash)).await.unwrap(),
            "{call} {failure:?}"
        );
        let sessions = Sessions::list(&fixture.store, &user.id, NOW).await.unwrap();
        assert_eq!(sessions.len(), 1, "{call} {failure:?}");
    }
}

/// The password is stored, but ending the sessions that were opened meanwhile fails.
#[tokio::test]
async fn session_opened_during_a_password_change_ends_with_its_repeat() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let login = async {
        let sessions = FaultyStore::new(&fixture.store);
        let gate = Gate { sessions: &sessions, ..fixture.gate() };
        let user = fixture.store.by_ids(&[scenario.ada.user_id()]).await.unwrap().remove(0);
        let request = fixture.request(&(FUNCTION.request)(&scenario));
        open_session(&gate, &user, request.session_opening()).await.unwrap();
    };
    let users = FaultyStore::new(&fixture.store).before("update", Box::pin(login));
    let request = fixture.request(&(FUNCTION.request)(&scenario));
    user_profile::handle(fixture.gate(), &users, &fixture.passwords, fixture.fanout(), request)
        .await
        .unwrap();
    let sessions = Sessions::list(&fixture.store, &scenario.ada.user_id(), NOW).await.unwrap();
    assert_eq!(sessions.len(), 1);
}

/// It is the limit of the caller alone: no login counts.
#[tokio::test]
async fn only_wrong_current_passwords_use_up_the_limit_of_password_changes() {
    // 2 wrong current passwords in ten minutes.
    let mut fixture = FunctionFixture::new();
    fixture.rates = Rates::scaled(0.2);
    let scenario = Scenario::new(&fixture).await;
    let mut passwords = [Person::PASSWORD.to_owned(), NEW_PASSWORD.to_owned()];
    for _ in 0..4 {
        let form = json!({ "password": passwords[1], "currentPassword": passwords[0] });
        let request = scenario.ada.request("PUT /api/user/profile").body(form);
        FUNCTION.call(&fixture, &request).await.unwrap();
        passwords.reverse();
    }
    let wrong = json!({ "password": "another password", "currentPassword": "a wrong one" });
    let wrong = scenario.ada.request("PUT /api/user/profile").body(wrong);
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(FUNCTION.call(&fixture, &wrong).await.unwrap_err().code());
    }
    assert_eq!(codes, ["VALIDATION_FAILED", "VALIDATION_FAILED", "RATE_LIMITED"]);
}
