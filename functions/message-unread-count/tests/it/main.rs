//! `message-unread-count` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_unread_count::handle(fixture.gate(), &fixture.store, request))
    },
    request: |scenario| scenario.ada.request("GET /api/messages/unread-count"),
    status: 200,
    expected: |_| ("/total", json!(1)),
};

http_function_tests!(authenticated: FUNCTION);
