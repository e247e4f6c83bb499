//! Time as an input: tokens and sessions end when they should, and everything carries the event's instant.

use std::time::Duration;

use serde_json::{Value, json};
use shared::auth::Rates;
use shared::error::{Error, Unauthenticated};
use shared::lambda::http::Reply;
use shared::time::Time;
use test_support::person::Person;

use super::bench::{ACCESS, Ask, Bench, NOW, REFRESH};
use super::scene::{Known, Scene, text};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

async fn me(bench: &Bench, token: &str, at: Time) -> Result<Reply, Error> {
    let ask = Ask { route: "GET /api/auth/me", token: Some(token.to_owned()), ..Ask::default() };
    let mut request = bench.request(&ask);
    request.now = at;
    auth_me::handle(bench.gate(), &bench.store, request).await
}

async fn refresh(bench: &Bench, token: &str, at: Time) -> Result<Value, Error> {
    let body = json!({ "refreshToken": token });
    let mut request = bench.request(&Ask { route: "POST /api/auth/refresh", body, ..Ask::default() });
    request.now = at;
    Ok(auth_refresh::handle(bench.gate(), &bench.store, bench.fanout(), request).await?.data().clone())
}

fn why(result: Result<impl Sized, Error>) -> Option<Unauthenticated> {
    match result {
        Ok(_) => None,
        Err(Error::Unauthenticated(why)) => Some(why),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_access_token_is_good_for_its_time_and_no_longer() {
    let bench = Bench::new();
    let Scene { ada, .. } = Scene::of(&bench).await;
    // Tokens count whole seconds; the scene begins 123 ms into one.
    for (at, refused) in [
        (NOW, None),
        (NOW + ACCESS - seconds(1), None),
        (NOW + ACCESS, Some(Unauthenticated::Expired)),
        (NOW + ACCESS * 1_000, Some(Unauthenticated::Expired)),
    ] {
        assert_eq!(why(me(&bench, &ada.token, at).await), refused, "{at}");
    }
}

#[tokio::test]
async fn a_session_lives_as_long_as_it_is_refreshed() {
    let bench = Bench::new();
    let Scene { mut ada, bob, .. } = Scene::of(&bench).await;
    let mut now = NOW;
    for _ in 0..3 {
        now = now + REFRESH - seconds(1);
        let data = refresh(&bench, &ada.refresh, now).await.unwrap();
        (ada.token, ada.refresh) = (text(&data["accessToken"]), text(&data["refreshToken"]));
        assert_eq!(why(me(&bench, &ada.token, now).await), None);
    }
    assert_eq!(why(refresh(&bench, &bob.refresh, NOW + REFRESH).await), Some(Unauthenticated::Revoked));
    assert_eq!(why(refresh(&bench, &ada.refresh, now + REFRESH).await), Some(Unauthenticated::Revoked));
}

#[tokio::test]
async fn a_session_that_has_run_out_is_not_listed() {
    let bench = Bench::new();
    let Scene { ada, .. } = Scene::of(&bench).await;
    let later = NOW + REFRESH - seconds(1);
    let renewed = refresh(&bench, &ada.refresh, later).await.unwrap();
    let listed = |at: Time| {
        let ask = Ask {
            route: "GET /api/auth/sessions",
            token: Some(text(&renewed["accessToken"])),
            ..Ask::default()
        };
        let mut request = bench.request(&ask);
        request.now = at;
        let gate = bench.gate();
        async move {
            auth_sessions::handle(gate, request).await.unwrap().data()["sessions"].as_array().unwrap().len()
        }
    };
    assert_eq!(listed(later).await, 2);
    assert_eq!(listed(NOW + REFRESH).await, 1, "the session of the second login has run out");
}

#[tokio::test]
async fn a_token_is_dead_the_moment_its_session_ends_whatever_it_says() {
    let bench = Bench::new();
    let Scene { ada, .. } = Scene::of(&bench).await;
    let ask = Ask { route: "POST /api/auth/logout", token: Some(ada.token.clone()), ..Ask::default() };
    auth_logout::handle(bench.gate(), bench.fanout(), bench.request(&ask)).await.unwrap();
    assert_eq!(why(me(&bench, &ada.token, NOW).await), Some(Unauthenticated::Revoked));
    assert_eq!(why(refresh(&bench, &ada.refresh, NOW).await), Some(Unauthenticated::Revoked));
}

async fn send(bench: &Bench, who: &Known, conversation: &str, at: Time) -> Value {
    let body = json!({ "conversationId": conversation, "content": "later" });
    let token = Some(who.token.clone());
    let mut request = bench.request(&Ask { route: "POST /api/messages/send", token, body, ..Ask::default() });
    request.now = at;
    message_send::handle(bench.gate(), bench.chat(), request).await.unwrap().data()["message"].clone()
}

#[tokio::test]
async fn everything_carries_the_events_instant() {
    let bench = Bench::new();
    let scene = Scene::of(&bench).await;
    let (sent, changed) = (NOW + seconds(60), NOW + seconds(61));
    let message = send(&bench, &scene.ada, &scene.conversation, sent).await;
    assert_eq!(message["createdAt"], json!(sent));
    assert!(text(&message["id"]) > scene.theirs, "ids sort by the event's time");
    let path = vec![("messageId", text(&message["id"]))];
    let ask = |route: &'static str, body: Value| Ask {
        route,
        token: Some(scene.ada.token.clone()),
        path: path.clone(),
        body,
        ..Ask::default()
    };
    let mut request = bench.request(&ask("PATCH /api/messages/{messageId}", json!({ "content": "x" })));
    request.now = changed;
    let reply = message_edit::handle(bench.gate(), bench.chat().for_changes(), request).await.unwrap();
    assert_eq!(reply.data()["message"]["editedAt"], json!(changed));
    let mut request = bench.request(&ask("DELETE /api/messages/{messageId}", Value::Null));
    request.now = changed + seconds(1);
    let reply = message_delete::handle(bench.gate(), bench.chat().for_changes(), request).await.unwrap();
    assert_eq!(reply.data()["message"]["deletedAt"], json!(changed + seconds(1)));
    let form = json!({ "username": "ada", "password": Person::PASSWORD });
    let mut request = bench.request(&Ask { route: "POST /api/auth/login", body: form, ..Ask::default() });
    request.now = NOW + seconds(600);
    auth_login::handle(bench.gate(), &bench.store, &bench.passwords, request).await.unwrap();
    let user = me(&bench, &scene.ada.token, NOW).await.unwrap().data()["user"].clone();
    assert_eq!((&user["createdAt"], &user["lastSeenAt"]), (&json!(NOW), &json!(NOW + seconds(600))));
}

/// Twelve messages a minute at this scale; the window is the minute that the event lies in.
#[tokio::test]
async fn a_rate_limit_ends_with_its_window() {
    let mut bench = Bench::new();
    let Scene { ada, conversation, .. } = Scene::of(&bench).await;
    bench.rates = Rates::scaled(0.01);
    let begin = Time::from_millis(NOW.millis() / 60_000 * 60_000);
    let ask = |at: Time| {
        let body = json!({ "conversationId": conversation, "content": "x" });
        let token = Some(ada.token.clone());
        let mut request =
            bench.request(&Ask { route: "POST /api/messages/send", token, body, ..Ask::default() });
        request.now = at;
        message_send::handle(bench.gate(), bench.chat(), request)
    };
    for n in 0..12 {
        ask(begin + seconds(n)).await.unwrap();
    }
    for (after, wait) in [(12, 48), (59, 1)] {
        match ask(begin + seconds(after)).await {
            Err(Error::RateLimited(limited)) => {
                assert_eq!((limited.limit, limited.retry_after_secs), (12, wait));
            }
            other => panic!("{other:?}"),
        }
    }
    ask(begin + seconds(60)).await.unwrap();
}
