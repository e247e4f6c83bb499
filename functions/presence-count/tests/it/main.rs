//! `presence-count` on its own, over an embedded store.

use serde_json::json;
use test_support::fixture::{FunctionFixture, HttpFunction, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(presence_count::handle(fixture.gate(), &fixture.store, request)),
    request: |scenario| scenario.ada.request("GET /api/user/online/count"),
    status: 200,
    expected: |_| ("/count", json!(0)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn users_are_counted_once_however_many_connections_they_have() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    for (id, user) in [("laptop", &scenario.bob), ("phone", &scenario.bob), ("eve", &scenario.eve)] {
        fixture.attach_json(id, user).await;
    }
    let reply = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario)).await.unwrap();
    assert_eq!(*reply.data(), json!({ "count": 2 }));
}
