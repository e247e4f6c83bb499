//! `auth-register` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::ports::Users as _;
use shared::user::Login;
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, TestRequest};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_register::handle(fixture.gate(), &fixture.store, &fixture.passwords, request))
    },
    request: |_| {
        let form = json!({ "username": "Cem", "email": "cem@example.com", "password": "12345678" });
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
