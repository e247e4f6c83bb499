//! `auth-register` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::ports::Users as _;
use shared::user::Login;
use test_support::faulty_store::{CallFailure, FaultyStore};
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, TestRequest};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_register::handle(fixture.gate(), &fixture.store, &fixture.passwords, request))
    },
    request: |_| {
        let form = json!({ "username": "Cem", "email": "cem@example.com", "password": "twelve horses" });
        TestRequest::new("POST /api/auth/register").body(form)
    },
    status: 201,
    expected: |_| ("/user/username", json!("Cem")),
};

http_function_tests!(open: FUNCTION);

#[tokio::test]
async fn registered_user_is_stored_with_the_time_of_the_request() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(60);
    FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    let user = fixture.store.by_login(&Login::Username("cem".to_owned())).await.unwrap().unwrap();
    assert_eq!((user.created_at, user.last_seen_at), (now, now));
}

fn registration(username: &str, email: &str, password: &str) -> TestRequest {
    let form = json!({ "username": username, "email": email, "password": password });
    TestRequest::new("POST /api/auth/register").body(form)
}

/// The user is stored and the session is not, or the answer is lost: the client repeats its request.
#[tokio::test]
async fn registration_whose_second_step_failed_can_be_repeated() {
    for (call, failure) in [
        ("insert", CallFailure::ReplyLost),
        ("open_session", CallFailure::Unreachable),
        ("open_session", CallFailure::ReplyLost),
    ] {
        let fixture = FunctionFixture::new();
        let faulty = FaultyStore::new(&fixture.store).failing(call, 1, failure);
        let gate = Gate { sessions: &faulty, ..fixture.gate() };
        let request = registration("Cem", "cem@example.com", "twelve horses");
        let register = || auth_register::handle(gate, &faulty, &fixture.passwords, fixture.request(&request));
        let first = register().await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{call} {first:?}");
        let reply = register().await.unwrap();
        let stored = fixture.store.by_login(&Login::Username("cem".to_owned())).await.unwrap().unwrap();
        assert_eq!((reply.status(), &reply.data()["user"]["id"]), (201, &json!(stored.id)), "{call}");
    }
}

#[tokio::test]
async fn only_a_repeat_with_the_same_names_and_password_soon_after_opens_a_session() {
    let fixture = FunctionFixture::new();
    let first = registration("Cem", "cem@example.com", "twelve horses");
    FUNCTION.call(&fixture, &first).await.unwrap();
    let late = NOW + Duration::from_secs(600);
    for refused in [
        registration("Cem", "cem@example.com", "other horses"),
        registration("Cem", "other@example.com", "twelve horses"),
        registration("Other", "cem@example.com", "twelve horses"),
        first.at(late),
    ] {
        let error = FUNCTION.call(&fixture, &refused).await.unwrap_err();
        assert_eq!(error.code(), "CONFLICT", "{refused:?}");
    }
}
