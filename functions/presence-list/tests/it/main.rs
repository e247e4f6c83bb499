//! `presence-list` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::{FunctionFixture, HttpFunction, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(presence_list::handle(fixture.gate(), &fixture.store, request)),
    request: |scenario| scenario.ada.request("GET /api/user/online"),
    status: 200,
    expected: |_| ("/userIds", json!([])),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn users_with_a_connection_are_listed_once() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    for id in ["laptop", "phone"] {
        fixture.attach_json(id, &scenario.bob).await;
    }
    let reply = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario)).await.unwrap();
    assert_eq!(*reply.data(), json!({ "count": 1, "userIds": [scenario.bob.id] }));
}
