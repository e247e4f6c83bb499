//! `conversation-list` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(conversation_list::handle(fixture.gate(), &fixture.store, &fixture.store, request))
    },
    request: |scenario| scenario.ada.request("GET /api/conversations"),
    status: 200,
    expected: |scenario| ("/conversations/0/id", json!(scenario.conversation)),
};

http_function_tests!(authenticated: FUNCTION);
