//! `auth-refresh` on its own, over an embedded store.

use std::time::Duration;

use serde_json::{Value, json};
use shared::auth::Gate;
use shared::error::{Error, Unauthenticated};
use shared::ports::Users as _;
use shared::time::Time;
use test_support::faulty_store::{CallFailure, FaultyStore};
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

fn at(seconds: u64) -> Time {
    NOW + Duration::from_secs(seconds)
}

#[tokio::test]
async fn repeated_refresh_gets_the_same_refresh_token_and_a_valid_access_token() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let first = FUNCTION.call(&fixture, &refresh(&ada.refresh_token)).await.unwrap();
    let repeat = FUNCTION.call(&fixture, &refresh(&ada.refresh_token).at(at(9))).await.unwrap();
    assert_eq!(repeat.data()["refreshToken"], first.data()["refreshToken"]);
    for reply in [&first, &repeat] {
        fixture.gate().identify(&text(&reply.data()["accessToken"]), at(9)).await.unwrap();
    }
    let successor = text(&first.data()["refreshToken"]);
    FUNCTION.call(&fixture, &refresh(&successor).at(at(9))).await.unwrap();
}

/// Both tabs have an access token of 5 seconds and show the refresh token that they received last, at the same moment
/// or four seconds apart.
#[tokio::test]
async fn two_tabs_that_refresh_every_five_seconds_for_two_minutes_stay_logged_in() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let mut tabs = [ada.refresh_token.clone(), ada.refresh_token];
    for n in 0..24 {
        let delays = [0, if n % 2 == 0 { 0 } else { 4 }];
        for (tab, delay) in tabs.iter_mut().zip(delays) {
            let now = at(5 * n + delay);
            let reply = FUNCTION.call(&fixture, &refresh(tab).at(now)).await.unwrap();
            fixture.gate().identify(&text(&reply.data()["accessToken"]), now).await.unwrap();
            *tab = text(&reply.data()["refreshToken"]);
        }
        assert_eq!(tabs[0], tabs[1], "round {n}");
    }
}

#[tokio::test]
async fn refresh_succeeds_although_the_user_cannot_be_marked_as_seen() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    for failure in [CallFailure::Unreachable, CallFailure::ReplyLost] {
        let users = FaultyStore::new(&fixture.store).failing("mark_seen", 1, failure);
        let request = fixture.request(&refresh(&ada.refresh_token));
        auth_refresh::handle(fixture.gate(), &users, fixture.fanout(), request).await.unwrap();
    }
}

/// The client repeats its request after a 503, whether or not the first one had rotated the token.
#[tokio::test]
async fn refresh_is_repeated_after_an_outage_of_the_session_store() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let mut token = ada.refresh_token;
    for failure in [CallFailure::Unreachable, CallFailure::ReplyLost] {
        let sessions = FaultyStore::new(&fixture.store).failing("rotate", 1, failure);
        let gate = Gate { sessions: &sessions, ..fixture.gate() };
        let call = || {
            let request = fixture.request(&refresh(&token));
            auth_refresh::handle(gate, &fixture.store, fixture.fanout(), request)
        };
        assert!(matches!(call().await, Err(Error::Unavailable(_))), "{failure:?}");
        let reply = call().await.unwrap();
        token = text(&reply.data()["refreshToken"]);
    }
}

#[tokio::test]
async fn session_is_not_refreshed_beyond_its_lifetime() {
    let mut fixture = FunctionFixture::new();
    fixture.policy.lifetime = REFRESH_TTL * 2;
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let mut token = ada.refresh_token;
    for now in [NOW + REFRESH_TTL - Duration::from_secs(1), NOW + REFRESH_TTL * 2 - Duration::from_secs(2)] {
        let reply = FUNCTION.call(&fixture, &refresh(&token).at(now)).await.unwrap();
        token = text(&reply.data()["refreshToken"]);
    }
    assert!(is_revoked(&FUNCTION.call(&fixture, &refresh(&token).at(NOW + REFRESH_TTL * 2)).await));
}

#[tokio::test]
async fn reused_refresh_token_ends_the_session() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    let reply = FUNCTION.call(&fixture, &refresh(&ada.refresh_token)).await.unwrap();
    assert!(is_revoked(&FUNCTION.call(&fixture, &refresh(&ada.refresh_token).at(at(10))).await));
    let access_token = text(&reply.data()["accessToken"]);
    assert!(is_revoked(&fixture.gate().identify(&access_token, NOW).await));
    let frames = fixture.pushes.take_frames("ada");
    let ended = json!({ "event": "session_ended", "data": { "reason": "refresh_token_reused" } });
    assert_eq!(serde_json::from_str::<Value>(&frames[0]).unwrap(), ended);
    assert_eq!(frames[1..], ["CLOSE"]);
}

#[tokio::test]
async fn refresh_of_a_deactivated_account_ends_its_session() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    fixture.store.delete_account(&ada.user_id(), NOW).await.unwrap();
    assert!(is_revoked(&FUNCTION.call(&fixture, &refresh(&ada.refresh_token)).await));
    assert!(is_revoked(&fixture.gate().identify(&ada.access_token, NOW).await));
    assert_eq!(fixture.connection("ada").await, None);
}
