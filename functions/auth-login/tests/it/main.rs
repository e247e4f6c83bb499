//! `auth-login` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::ports::Users as _;
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, TestRequest};
use test_support::http_function_tests;
use test_support::person::Person;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_login::handle(fixture.gate(), &fixture.store, &fixture.passwords, request))
    },
    request: |_| {
        let form = json!({ "username": "ADA", "password": Person::PASSWORD });
        TestRequest::new("POST /api/auth/login").body(form)
    },
    status: 200,
    expected: |scenario| ("/user/id", json!(scenario.ada.id)),
};

http_function_tests!(open: FUNCTION);

#[tokio::test]
async fn login_stores_the_time_of_the_request_as_last_seen() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(600);
    FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    let user = fixture.store.by_ids(&[scenario.ada.user_id()]).await.unwrap().remove(0);
    assert_eq!((user.created_at, user.last_seen_at), (NOW, now));
}

#[tokio::test]
async fn login_pushes_nothing() {
    FUNCTION.assert_pushes(&[]).await;
}
