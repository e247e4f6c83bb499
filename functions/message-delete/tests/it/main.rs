//! `message-delete` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_delete::handle(fixture.gate(), fixture.chat().for_changes(), request))
    },
    request: |scenario| {
        let request = scenario.ada.request("DELETE /api/messages/{messageId}");
        request.path("messageId", &scenario.adas_message)
    },
    status: 200,
    expected: |_| ("/message/content", json!("")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn every_device_of_both_users_receives_message_deleted() {
    FUNCTION
        .assert_pushes(&["ada-laptop message_deleted", "ada-phone message_deleted", "bob message_deleted"])
        .await;
}

#[tokio::test]
async fn deleted_message_has_the_time_of_the_request() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(61);
    let reply = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    assert_eq!(reply.data()["message"]["deletedAt"], json!(now));
}
