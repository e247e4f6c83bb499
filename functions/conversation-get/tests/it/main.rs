//! `conversation-get` on its own, over an embedded store.

use serde_json::json;
use shared::error::Error;
use test_support::fixture::{FunctionFixture, HttpFunction, Scenario};
use test_support::http_function_tests;

const ROUTE: &str = "GET /api/conversations/{id}";

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(conversation_get::handle(fixture.gate(), &fixture.store, &fixture.store, request))
    },
    request: |scenario| scenario.ada.request(ROUTE).path("id", &scenario.conversation),
    status: 200,
    expected: |_| ("/conversation/unreadCount", json!(1)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn conversation_of_other_users_is_not_found() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let request = scenario.eve.request(ROUTE).path("id", &scenario.conversation);
    let refused = FUNCTION.call(&fixture, &request).await;
    assert!(matches!(refused, Err(Error::NotFound("the conversation"))));
}
