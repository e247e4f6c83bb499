//! `auth-session-end` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(auth_session_end::handle(fixture.gate(), fixture.fanout(), request)),
    request: |scenario| {
        let session = scenario.ada_again.session_id();
        scenario.ada.request("DELETE /api/auth/sessions/{id}").path("id", session.as_str())
    },
    status: 200,
    expected: |scenario| ("/id", json!(scenario.ada_again.session_id())),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn closed_sockets_receive_the_reason_session_deleted() {
    FUNCTION.assert_second_session_ends("session_deleted").await;
}
