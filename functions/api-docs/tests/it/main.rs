//! `api-docs` on its own.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use serde_json::Value;
use shared::lambda::http::http;
use test_support::events::{assert_foreign_events_fail, invoke_event};
use test_support::fixture::{FunctionFixture, TestRequest, http_event};

async fn reply(request: &TestRequest) -> Value {
    let event = http_event(&FunctionFixture::new().request(request));
    invoke_event(&http(api_docs::handle), &event).await.unwrap()
}

#[tokio::test]
async fn the_page_and_its_files_are_served_under_a_policy_without_inline_code() {
    let file = |name: &str| TestRequest::new("GET /api/docs/{file}").path("file", name);
    for (request, content_type) in [
        (TestRequest::new("GET /api/docs"), "text/html; charset=utf-8"),
        (file("page.css"), "text/css; charset=utf-8"),
        (file("page.js"), "text/javascript; charset=utf-8"),
    ] {
        let reply = reply(&request).await;
        let headers = &reply["headers"];
        assert_eq!((&reply["statusCode"], &headers["content-type"]), (&200.into(), &content_type.into()));
        let policy = headers["content-security-policy"].as_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        let text = reply["body"].as_str().unwrap();
        assert!((1_000..60_000).contains(&text.len()), "{content_type}: {} bytes", text.len());
    }
}

#[tokio::test]
async fn another_file_is_not_found() {
    let reply = reply(&TestRequest::new("GET /api/docs/{file}").path("file", "../Cargo.toml")).await;
    assert_eq!(reply["statusCode"], 404, "{reply}");
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    assert_foreign_events_fail(&http(api_docs::handle)).await;
}
