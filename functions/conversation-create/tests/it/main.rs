//! `conversation-create` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::auth::Rates;
use shared::error::Error;
use shared::ports::RateLimit;
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

#[tokio::test]
async fn group_costs_one_for_each_member() {
    let mut fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let general = RateLimit { count: 8, window: Duration::from_secs(60) };
    fixture.rates = Rates { general, ..Rates::scaled(0.0) };
    let form = json!({ "participantIds": [scenario.bob.id, scenario.eve.id], "name": "Friends" });
    let request = scenario.ada.request("POST /api/conversations").body(form);
    // Each costs three: the request, and two members.
    for _ in 0..2 {
        FUNCTION.call(&fixture, &request).await.unwrap();
    }
    let refused = FUNCTION.call(&fixture, &request).await;
    assert!(matches!(refused, Err(Error::RateLimited(_))), "{refused:?}");
}
