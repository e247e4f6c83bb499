//! `api-description` on its own.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use serde_json::Value;
use shared::lambda::http::http;
use test_support::events::{assert_foreign_events_fail, invoke_event};
use test_support::fixture::{FunctionFixture, TestRequest, http_event};

/// The headers and the body of the reply to a route.
async fn reply(route: &'static str) -> (Value, Value) {
    let event = http_event(&FunctionFixture::new().request(&TestRequest::new(route)));
    let mut reply = invoke_event(&http(api_description::handle), &event).await.unwrap();
    assert_eq!(reply["statusCode"], 200, "{reply}");
    let body = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    (reply["headers"].take(), body)
}

#[tokio::test]
async fn each_document_is_served_as_json_under_its_own_route() {
    for (route, keyword, version) in
        [("GET /api/openapi.json", "openapi", "3.1.0"), ("GET /api/asyncapi.json", "asyncapi", "3.0.0")]
    {
        let (headers, document) = reply(route).await;
        assert_eq!(document[keyword], version, "{route}");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(headers["x-request-id"], "a-request");
    }
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    assert_foreign_events_fail(&http(api_description::handle)).await;
}
