//! `user-profile` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;
use test_support::person::Person;

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
            "displayName": "Ada L.", "password": "12345678", "currentPassword": Person::PASSWORD,
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
