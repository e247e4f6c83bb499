//! `message-edit` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_edit::handle(fixture.gate(), fixture.chat().for_changes(), request))
    },
    request: |scenario| {
        let request = scenario.ada.request("PATCH /api/messages/{messageId}");
        request.path("messageId", &scenario.adas_message).body(json!({ "content": "hello again" }))
    },
    status: 200,
    expected: |_| ("/message/content", json!("hello again")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn every_device_of_both_users_receives_message_updated() {
    FUNCTION
        .assert_pushes(&["ada-laptop message_updated", "ada-phone message_updated", "bob message_updated"])
        .await;
}

#[tokio::test]
async fn edited_message_has_the_time_of_the_request() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(61);
    let reply = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    assert_eq!(reply.data()["message"]["editedAt"], json!(now));
}
