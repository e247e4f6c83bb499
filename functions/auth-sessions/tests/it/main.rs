//! `auth-sessions` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::auth::refresh;
use test_support::fixture::{
    FunctionFixture, HttpFunction, NOW, REFRESH_TTL, Scenario, TestRequest, USER_AGENT,
};
use test_support::http_function_tests;

const SESSIONS: &str = "GET /api/auth/sessions";

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(auth_sessions::handle(fixture.gate(), request)),
    request: |scenario| scenario.ada.request(SESSIONS),
    status: 200,
    expected: |_| ("/sessions/1/device", json!(USER_AGENT)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn expired_session_is_not_listed() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    // The first session is refreshed just in time, the second one is not.
    let later = NOW + REFRESH_TTL - Duration::from_secs(1);
    refresh(&fixture.gate(), &ada.refresh_token, later, &fixture.entropy).await.unwrap();
    let keys = fixture.gate().keys;
    let token = keys.issue(&ada.user_id(), &ada.session_id(), later, &fixture.entropy).unwrap();
    for (at, count) in [(later, 2), (NOW + REFRESH_TTL, 1)] {
        let request = TestRequest::new(SESSIONS).token(&token).at(at);
        let reply = FUNCTION.call(&fixture, &request).await.unwrap();
        assert_eq!(reply.data()["sessions"].as_array().unwrap().len(), count, "{at}");
    }
}
