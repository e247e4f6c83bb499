//! `user-list` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::HttpFunction;
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(user_list::handle(fixture.gate(), &fixture.store, &fixture.store, &fixture.store, request))
    },
    request: |scenario| scenario.ada.request("GET /api/user/list").query("search", "b").query("limit", "1"),
    status: 200,
    expected: |scenario| ("/users/0/id", json!(scenario.bob.id)),
};

http_function_tests!(authenticated: FUNCTION);
