//! `ws-connect` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::auth::Rates;
use shared::connection::{Dialect, UpgradeToken};
use shared::error::{Error, Unauthenticated};
use shared::lambda::websocket::{SocketEventKind, SocketReply, websocket};
use shared::lambda::{Entry, leak};
use shared::ports::RateLimit;
use shared::realtime::ping::CONNECT_TIMEOUT;
use test_support::events::{assert_foreign_events_fail, invoke_event, socket_event};
use test_support::fixture::{FunctionFixture, NOW, Scenario};

const WINDOW: RateLimit = RateLimit { count: 0, window: Duration::from_secs(60) };
const SOCKET_IO: [(&str, &str); 2] = [("EIO", "4"), ("transport", "websocket")];

fn owned(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Connects `c` with a query and headers.
async fn connect(
    fixture: &FunctionFixture,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Result<SocketReply, Error> {
    let kind = SocketEventKind::Connect { headers: owned(headers), query: owned(query) };
    let event = fixture.socket_event("c", NOW, kind);
    ws_connect::handle(fixture.gate(), &fixture.store, &fixture.starts, &fixture.settings, event).await
}

fn refusal<T>(result: Result<T, Error>) -> Unauthenticated {
    match result {
        Err(Error::Unauthenticated(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("the upgrade was accepted"),
    }
}

#[tokio::test]
async fn socket_io_upgrade_is_accepted_without_a_token_and_starts_ws_open() {
    let fixture = FunctionFixture::new();
    assert_eq!(connect(&fixture, &SOCKET_IO, &[]).await.unwrap(), SocketReply::ok());
    let stored = fixture.connection("c").await.unwrap();
    assert_eq!((stored.dialect, stored.identity, stored.upgrade_token), (Dialect::SocketIo, None, None));
    assert_eq!((stored.connected_at, stored.lease_until), (NOW, NOW + CONNECT_TIMEOUT));
    let opening = json!({ "connectionId": "c", "time": NOW });
    assert_eq!(fixture.starts.take(), [("ws-open".to_owned(), opening)]);
}

#[tokio::test]
async fn json_upgrade_takes_its_token_from_the_query_or_the_header() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let bearer = format!("bearer {}", ada.access_token);
    let query = [("token", ada.access_token.as_str())];
    let header = [("authorization", bearer.as_str())];
    for (query, headers) in [(&query[..], &[][..]), (&[][..], &header[..])] {
        connect(&fixture, query, headers).await.unwrap();
        let stored = fixture.connection("c").await.unwrap();
        assert_eq!((stored.dialect, stored.identity), (Dialect::Json, None));
        assert_eq!(stored.upgrade_token, Some(UpgradeToken::Valid(ada.identity())));
    }
}

#[tokio::test]
async fn json_upgrade_without_a_valid_token_is_refused_and_stores_nothing() {
    let fixture = FunctionFixture::new();
    assert_eq!(refusal(connect(&fixture, &[], &[]).await), Unauthenticated::NoToken);
    refusal(connect(&fixture, &[("token", "nonsense")], &[]).await);
    assert_eq!(fixture.connection("c").await, None);
    assert_eq!(fixture.starts.take(), []);
}

#[tokio::test]
async fn rejected_token_of_socket_io_is_stored_with_its_reason() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    let gate = fixture.gate();
    assert!(gate.sessions.end(&ada.user_id(), &ada.session_id()).await.unwrap());
    let query = [SOCKET_IO.as_slice(), &[("token", &ada.access_token)]].concat();
    connect(&fixture, &query, &[]).await.unwrap();
    let stored = fixture.connection("c").await.unwrap();
    assert_eq!(stored.upgrade_token, Some(UpgradeToken::Rejected(Unauthenticated::Revoked)));
}

#[tokio::test]
async fn unknown_transport_and_version_are_400() {
    let fixture = FunctionFixture::new();
    for query in [[("EIO", "4"), ("transport", "polling")], [("EIO", "3"), ("transport", "websocket")]] {
        let reply = connect(&fixture, &query, &[]).await.unwrap();
        assert_eq!(reply.status, 400, "{query:?}");
        assert!(reply.body.contains("code"), "{}", reply.body);
    }
    assert_eq!(fixture.connection("c").await, None);
}

#[tokio::test]
async fn upgrade_fails_when_ws_open_cannot_be_started() {
    let fixture = FunctionFixture::new();
    fixture.starts.fail();
    let failed = connect(&fixture, &SOCKET_IO, &[]).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
}

fn entry(fixture: FunctionFixture) -> Entry {
    let fixture: &'static FunctionFixture = leak(fixture);
    websocket(move |event| {
        ws_connect::handle(fixture.gate(), &fixture.store, &fixture.starts, &fixture.settings, event)
    })
}

#[tokio::test]
async fn lambda_entry_point_replies_with_the_status_of_the_upgrade() {
    let entry = entry(FunctionFixture::new());
    let mut event = socket_event("CONNECT", "c", NOW);
    let refused = invoke_event(&entry, &event).await.unwrap();
    assert_eq!(refused["statusCode"], 401);
    let body: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["code"], "UNAUTHENTICATED");

    event["queryStringParameters"] = json!({ "EIO": "4", "transport": "websocket" });
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), json!({ "statusCode": 200 }));
}

#[tokio::test]
async fn unreachable_session_store_is_503() {
    let mut fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.sessions_are_down = true;
    let entry = entry(fixture);
    let mut event = socket_event("CONNECT", "c", NOW);
    event["queryStringParameters"] = json!({ "token": ada.access_token });
    assert_eq!(invoke_event(&entry, &event).await.unwrap()["statusCode"], 503);
}

#[tokio::test]
async fn upgrades_without_a_valid_token_have_a_limit_of_their_own() {
    let mut fixture = FunctionFixture::new();
    let Scenario { ada, .. } = Scenario::new(&fixture).await;
    fixture.rates = Rates { upgrades_by_ip: RateLimit { count: 2, ..WINDOW }, ..Rates::scaled(1.0) };
    connect(&fixture, &SOCKET_IO, &[]).await.unwrap();
    refusal(connect(&fixture, &[("token", "nonsense")], &[]).await);
    for query in [&SOCKET_IO[..], &[("token", "nonsense")]] {
        let refused = connect(&fixture, query, &[]).await;
        assert!(matches!(refused, Err(Error::RateLimited(_))), "{refused:?}");
    }
    for _ in 0..5 {
        connect(&fixture, &[("token", &ada.access_token)], &[]).await.unwrap();
    }
}

#[tokio::test]
async fn addresses_are_counted_behind_the_trusted_proxies() {
    let mut fixture = FunctionFixture::new();
    let limit = RateLimit { count: 1, ..WINDOW };
    fixture.rates = Rates { upgrades_by_ip: limit, trusted_proxies: 1, ..Rates::scaled(1.0) };
    // The gateway adds the proxy's address, the proxy the client's; the client invents the first one.
    for (forwarded_for, accepted) in [
        ("9.9.9.1, 2001:db8:0:1::7, 192.0.2.7", true),
        ("9.9.9.2, 2001:db8:0:1::8, 192.0.2.7", false),
        ("9.9.9.2, 2001:db8:0:2::8, 192.0.2.7", true),
    ] {
        let result = connect(&fixture, &SOCKET_IO, &[("x-forwarded-for", forwarded_for)]).await;
        assert_eq!(result.is_ok(), accepted, "{forwarded_for}");
    }
    assert_eq!(fixture.connection("c").await.unwrap().address, "2001:db8:0:2::/64");
}

#[tokio::test]
async fn connections_of_one_address_are_limited() {
    let mut fixture = FunctionFixture::new();
    fixture.settings.max_per_address = 2;
    for (id, accepted) in [("one", true), ("two", true), ("three", false)] {
        let kind = SocketEventKind::Connect { headers: owned(&[]), query: owned(&SOCKET_IO) };
        let event = fixture.socket_event(id, NOW, kind);
        let result =
            ws_connect::handle(fixture.gate(), &fixture.store, &fixture.starts, &fixture.settings, event)
                .await;
        assert_eq!(result.is_ok(), accepted, "{id}");
    }
    assert_eq!(fixture.connection("three").await, None);
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    assert_foreign_events_fail(&entry(FunctionFixture::new())).await;
}
