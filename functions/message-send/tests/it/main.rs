//! `message-send` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::auth::Rates;
use shared::error::Error;
use shared::time::Time;
use test_support::fixture::{FunctionFixture, HttpFunction, NOW, Scenario, text};
use test_support::http_function_tests;

const ROUTE: &str = "POST /api/messages/send";

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(message_send::handle(fixture.gate(), fixture.chat(), request)),
    request: |scenario| {
        let form = json!({ "receiverId": scenario.bob.id, "content": "hi" });
        scenario.ada.request(ROUTE).body(form)
    },
    status: 201,
    expected: |_| ("/message/seq", json!(3)),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn every_device_of_both_users_receives_the_message() {
    FUNCTION
        .assert_pushes(&["ada-laptop message_sent", "ada-phone message_sent", "bob message_received"])
        .await;
}

#[tokio::test]
async fn message_has_the_time_of_the_request() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    let now = NOW + Duration::from_secs(60);
    let reply = FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(now)).await.unwrap();
    let message = &reply.data()["message"];
    assert_eq!(message["createdAt"], json!(now));
    assert!(text(&message["id"]) > scenario.bobs_message, "ids sort by time");
}

/// At this scale a user may send twelve messages a minute. The window is the minute of the request's time.
#[tokio::test]
async fn rate_limit_ends_with_its_window() {
    let mut fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    fixture.rates = Rates::scaled(0.01);
    let minute = Time::from_millis(NOW.millis() / 60_000 * 60_000);
    let send = async |second| {
        let request = (FUNCTION.request)(&scenario).at(minute + Duration::from_secs(second));
        FUNCTION.call(&fixture, &request).await
    };
    for second in 0..12 {
        send(second).await.unwrap();
    }
    for (second, wait) in [(12, 48), (59, 1)] {
        match send(second).await {
            Err(Error::RateLimited(limited)) => {
                assert_eq!((limited.limit, limited.retry_after_secs), (12, wait));
            }
            other => panic!("second {second}: {other:?}"),
        }
    }
    send(60).await.unwrap();
}
