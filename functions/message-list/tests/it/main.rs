//! `message-list` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_list::handle(fixture.gate(), fixture.chat().members, &fixture.store, request))
    },
    request: |scenario| {
        let request = scenario.bob.request("GET /api/messages/{conversationId}");
        request.path("conversationId", &scenario.conversation).query("before", &scenario.bobs_message)
    },
    status: 200,
    expected: |scenario| ("/messages/0/id", json!(scenario.adas_message)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn reading_pushes_nothing() {
    FUNCTION.assert_pushes(&[]).await;
}
