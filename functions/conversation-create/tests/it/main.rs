//! `conversation-create` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::{FunctionFixture, HttpFunction, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(conversation_create::handle(fixture.gate(), &fixture.store, &fixture.store, request))
    },
    request: |scenario| {
        let form = json!({ "participantId": scenario.eve.id });
        scenario.ada.request("POST /api/conversations").body(form)
    },
    status: 201,
    expected: |_| ("/conversation/type", json!("direct")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn existing_direct_conversation_is_returned_with_200() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let form = json!({ "participantId": scenario.ada.id });
    let request = scenario.bob.request("POST /api/conversations").body(form);
    let reply = FUNCTION.call(&fixture, &request).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.data()["conversation"]["id"], json!(scenario.conversation));
}
