//! `auth-refresh` on its own, over an embedded store.

use std::time::Duration;

use serde_json::{Value, json};
use shared::error::{Error, Unauthenticated};
use test_support::fixture::{
    ACCESS_TTL, FunctionFixture, HttpFunction, NOW, REFRESH_TTL, Scenario, TestRequest, text,
};
use test_support::http_function_tests;

const FUNCTION: HttpFunction = HttpFunction {
    handler: |fixture, request| {
        Box::pin(auth_refresh::handle(fixture.gate(), &fixture.store, fixture.fanout(), request))
    },
    request: |scenario| refresh(&scenario.ada.refresh_token),
    status: 200,
    expected: |_| ("/expiresIn", json!(ACCESS_TTL.as_secs())),
};

http_function_tests!(open: FUNCTION);

fn refresh(token: &str) -> TestRequest {
    TestRequest::new("POST /api/auth/refresh").body(json!({ "refreshToken": token }))
}

fn is_revoked<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unauthenticated(Unauthenticated::Revoked)))
}

#[tokio::test]
async fn session_stays_live_while_it_is_refreshed_in_time() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    let mut token = ada.refresh_token;
    let mut now = NOW;
    for _ in 0..3 {
        now = now + REFRESH_TTL - Duration::from_secs(1);
        let reply = FUNCTION.call(&fixture, &refresh(&token).at(now)).await.unwrap();
        token = text(&reply.data()["refreshToken"]);
        let access_token = text(&reply.data()["accessToken"]);
        let caller = fixture.gate().identify(&access_token, now).await.unwrap();
        assert_eq!(caller.user_id.as_str(), ada.id);
    }
    // Bob never refreshed, and Ada's last refresh is too long ago.
    for (token, at) in [(&bob.refresh_token, NOW + REFRESH_TTL), (&token, now + REFRESH_TTL)] {
        assert!(is_revoked(&FUNCTION.call(&fixture, &refresh(token).at(at)).await));
    }
}

#[tokio::test]
async fn reused_refresh_token_ends_the_session() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    let reply = FUNCTION.call(&fixture, &refresh(&ada.refresh_token)).await.unwrap();
    assert!(is_revoked(&FUNCTION.call(&fixture, &refresh(&ada.refresh_token)).await));
    let access_token = text(&reply.data()["accessToken"]);
    assert!(is_revoked(&fixture.gate().identify(&access_token, NOW).await));
    let frames = fixture.pushes.take_frames("ada");
    let ended = json!({ "event": "session_ended", "data": { "reason": "refresh_token_reused" } });
    assert_eq!(serde_json::from_str::<Value>(&frames[0]).unwrap(), ended);
    assert_eq!(frames[1..], ["CLOSE"]);
}
