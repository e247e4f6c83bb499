//! `message-search` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_search::handle(
            fixture.gate(),
            fixture.chat().members,
            &fixture.store,
            &fixture.store,
            request,
        ))
    },
    request: |scenario| scenario.ada.request("GET /api/messages/search").query("q", "ORANGE"),
    status: 200,
    expected: |_| ("/hits/0/highlight", json!("<mark>oranges</mark>")),
};

http_function_tests!(authenticated: FUNCTION);
