//! `health` on its own, over an embedded store.

use async_trait::async_trait;
use serde_json::json;
use shared::error::{Error, StoreFailure};
use shared::lambda::http::{Reply, Request};
use shared::ports::Probe;
use test_support::fixture::{FunctionFixture, HttpFunction, TestRequest};

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(check_embedded(fixture, request)),
    request: |_| TestRequest::new("GET /api/health"),
    status: 200,
    expected: |_| ("/stores/embedded", json!("up")),
};

/// The handler borrows the list of stores, so the list must live as long as the future.
async fn check_embedded(fixture: &FunctionFixture, request: Request) -> Result<Reply, Error> {
    let stores: [(&'static str, &dyn Probe); 1] = [("embedded", &fixture.store)];
    health::handle(fixture.gate(), &stores, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn handler_and_lambda_entry_point_return_the_same_reply() {
    FUNCTION.assert_reply().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn report_is_made_without_a_rate_limit_when_its_store_is_unreachable() {
    FUNCTION.assert_unreachable_store_is_tolerated().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_events_fail_the_invocation() {
    FUNCTION.assert_foreign_events_fail().await;
}

/// A store that is down.
struct DownStore;

#[async_trait]
impl Probe for DownStore {
    async fn check(&self) -> Result<(), StoreFailure> {
        Err(StoreFailure { store: "mongodb", cause: "10.1.2.3 does not answer".into() })
    }
}

#[tokio::test]
async fn store_that_is_down_is_named_without_its_address() {
    let fixture = FunctionFixture::new();
    let request = fixture.request(&TestRequest::new("GET /api/health"));
    let stores: [(&'static str, &dyn Probe); 2] = [("embedded", &fixture.store), ("mongodb", &DownStore)];
    let reply = health::handle(fixture.gate(), &stores, request).await.unwrap();
    assert_eq!(reply.status(), 503);
    assert_eq!(
        *reply.data(),
        json!({
            "status": "unavailable",
            "down": ["mongodb"],
            "stores": { "embedded": "up", "mongodb": "down" },
        })
    );
}
