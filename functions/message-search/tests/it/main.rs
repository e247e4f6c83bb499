//! `message-search` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::auth::Rates;
use shared::error::Error;
use shared::ports::RateLimit;
use test_support::fixture::{FunctionFixture, HttpFunction, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(message_search::handle(
            fixture.gate(),
            fixture.chat().members,
            &fixture.store,
            &fixture.store,
            request,
        ))
    },
    request: |scenario| scenario.ada.request("GET /api/messages/search").query("q", "ORANGE"),
    status: 200,
    expected: |_| ("/hits/0/highlight", json!("<mark>oranges</mark>")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn search_costs_what_it_reads() {
    for (limit, searches) in [("5", 6), ("100", 1)] {
        let mut fixture = FunctionFixture::new();
        let scenario = Scenario::new(&fixture).await;
        let general = RateLimit { count: 18, window: Duration::from_secs(60) };
        fixture.rates = Rates { general, ..Rates::scaled(0.0) };
        let request = (FUNCTION.request)(&scenario).query("limit", limit);
        for _ in 0..searches {
            FUNCTION.call(&fixture, &request).await.unwrap();
        }
        let refused = FUNCTION.call(&fixture, &request).await;
        assert!(matches!(refused, Err(Error::RateLimited(_))), "{limit}: {refused:?}");
    }
}
