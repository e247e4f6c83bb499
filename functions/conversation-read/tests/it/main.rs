//! `conversation-read` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(conversation_read::handle(fixture.gate(), fixture.chat().for_reading(), request))
    },
    request: |scenario| {
        scenario.ada.request("PUT /api/conversations/{id}/read").path("id", &scenario.conversation)
    },
    status: 200,
    expected: |_| ("/upToSeq", json!(2)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn members_receive_message_read() {
    FUNCTION.assert_pushes(&["ada-laptop message_read", "ada-phone message_read", "bob message_read"]).await;
}
