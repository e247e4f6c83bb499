//! `auth-me` on its own, over an embedded store.

use std::time::Duration;

use serde_json::json;
use shared::error::{Error, Unauthenticated};
use test_support::fixture::{ACCESS_TTL, FunctionFixture, HttpFunction, NOW, Scenario};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| Box::pin(auth_me::handle(fixture.gate(), &fixture.store, request)),
    request: |scenario| scenario.ada.request("GET /api/auth/me"),
    status: 200,
    expected: |_| ("/user/email", json!("ada@example.com")),
};

http_function_tests!(authenticated: FUNCTION);

#[tokio::test]
async fn access_token_is_accepted_until_it_expires() {
    let fixture = FunctionFixture::new();
    let scenario = Scenario::new(&fixture).await;
    // Tokens count whole seconds; `NOW` is 123 ms past one.
    for (at, expired) in [
        (NOW, false),
        (NOW + ACCESS_TTL - Duration::from_secs(1), false),
        (NOW + ACCESS_TTL, true),
        (NOW + ACCESS_TTL * 1_000, true),
    ] {
        match FUNCTION.call(&fixture, &(FUNCTION.request)(&scenario).at(at)).await {
            Ok(_) => assert!(!expired, "{at}"),
            Err(Error::Unauthenticated(Unauthenticated::Expired)) => assert!(expired, "{at}"),
            Err(other) => panic!("{at}: {other:?}"),
        }
    }
}
