//! `ws-fanout` on its own, over an embedded store: large audiences, page by page.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod gateway;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::connection::{Dialect, Identity, PresenceChange};
use shared::id::{ConnectionId, SessionId, UserId};
use shared::lambda::{async_event, leak};
use shared::ports::{Connections as _, Functions};
use shared::realtime::announce::{Announcer, FANOUT};
use shared::realtime::fanout::Fanout;
use shared::realtime::settings::Audience;
use test_support::events::{assert_foreign_events_fail, invoke_event};
use test_support::fixture::{FunctionFixture, NOW, Scenario};

use gateway::{Lambda, SlowGateway};

/// Attaches `count` connections of `count` users, `s00000` and so on.
async fn crowd(fixture: &FunctionFixture, count: usize) {
    for n in 0..count {
        let name = format!("s{n:05}");
        let identity = Identity { user_id: UserId::trusted(&name), session_id: SessionId::trusted(&name) };
        fixture.attach_connection(&name, Dialect::Json, &identity, NOW).await;
    }
}

/// Ada comes online through the connection `ada`, and her arrival is not announced yet.
async fn arrive(fixture: &FunctionFixture, identity: &Identity) {
    fixture.open_connection("ada", Dialect::Json, NOW).await;
    let attachment = shared::ports::Attachment { identity, lease_until: NOW, max_per_user: 0, now: NOW };
    fixture.store.attach(&ConnectionId::trusted("ada"), &attachment).await.unwrap();
}

fn ada() -> Identity {
    Identity { user_id: UserId::trusted("ada"), session_id: SessionId::trusted("ada") }
}

fn announcer<'a>(
    fixture: &'a FunctionFixture,
    gateway: &'a SlowGateway,
    functions: &'a dyn Functions,
) -> Announcer<'a> {
    let fanout = Fanout::over(&fixture.store, gateway);
    Announcer { fanout, changes: &fixture.store, functions, settings: &fixture.settings }
}

/// How often each connection received the event.
fn received(gateway: &SlowGateway) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in gateway.received() {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

/// A push takes 20 ms, one in twenty is refused with 429, and an invocation lives five seconds. The clock is tokio's,
/// which jumps while everything waits.
#[tokio::test(start_paused = true)]
async fn ten_thousand_sockets_receive_an_arrival_within_seconds_by_invocations_of_five_seconds() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    crowd(fixture, 10_000).await;
    arrive(fixture, &ada()).await;
    let gateway: &'static SlowGateway = leak(SlowGateway::new(Duration::from_millis(20), 20));
    let lambda: &'static Lambda = leak(Lambda::new(Duration::from_secs(5)));
    let announcer = announcer(fixture, gateway, lambda);
    let start = tokio::time::Instant::now();
    // What the newcomer waits for is one event to Lambda.
    announcer.arrival(&ada().user_id, NOW).await;
    let waited = start.elapsed();
    assert!(waited < Duration::from_millis(200), "the newcomer waited {waited:?}");
    let entry = async_event(move |task| ws_fanout::handle(announcer, &fixture.store, task));
    let longest = lambda.run_all(FANOUT, &entry).await;
    let receivers = received(gateway);
    assert_eq!((receivers.len(), receivers.values().max()), (10_000, Some(&1)));
    assert!(!receivers.contains_key("ada"), "a user receives nothing about herself");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "the last push was after {took:?}");
    assert!(longest <= Duration::from_secs(5), "an invocation lived {longest:?}");
    assert_eq!(gateway.closed(), 0, "a short throttle closes no socket");
}

/// A gateway so slow that no invocation finishes its page.
#[tokio::test(start_paused = true)]
async fn page_that_an_invocation_has_no_time_for_is_continued_by_another() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    crowd(fixture, 1_500).await;
    arrive(fixture, &ada()).await;
    let gateway: &'static SlowGateway = leak(SlowGateway::new(Duration::from_secs(1), 0));
    let lambda: &'static Lambda = leak(Lambda::new(Duration::from_secs(5)));
    let announcer = announcer(fixture, gateway, lambda);
    announcer.arrival(&ada().user_id, NOW).await;
    let entry = async_event(move |task| ws_fanout::handle(announcer, &fixture.store, task));
    let longest = lambda.run_all(FANOUT, &entry).await;
    let receivers = received(gateway);
    assert_eq!((receivers.len(), receivers.values().max()), (1_500, Some(&1)));
    assert!(longest <= Duration::from_secs(5), "an invocation lived {longest:?}");
    assert!(lambda.invocations() > 10, "{} invocations", lambda.invocations());
}

#[tokio::test]
async fn departure_of_a_user_who_has_returned_is_not_pushed() {
    let fixture = FunctionFixture::new();
    let Scenario { ada, bob, .. } = Scenario::new(&fixture).await;
    fixture.attach_json("ada", &ada).await;
    fixture.attach_json("bob", &bob).await;
    for (online, expected) in [(false, 0), (true, 1)] {
        let change = PresenceChange { user_id: ada.user_id(), online, at: NOW };
        let task = json!({ "announce": { "change": change, "after": null, "until": null } });
        let task = serde_json::from_value(task).unwrap();
        ws_fanout::handle(fixture.announcer(), &fixture.store, task).await.unwrap();
        assert_eq!(fixture.pushes.take_frames("bob").len(), expected, "online: {online}");
    }
}

#[tokio::test]
async fn only_contacts_receive_presence_events_when_they_are_the_audience() {
    let mut fixture = FunctionFixture::new();
    fixture.settings.audience = Audience::Contacts;
    let fixture = fixture;
    let scenario = Scenario::new(&fixture).await;
    for (id, user) in [("bob", &scenario.bob), ("bob-phone", &scenario.bob), ("eve", &scenario.eve)] {
        fixture.attach_json(id, user).await;
    }
    arrive(&fixture, &scenario.ada.identity()).await;
    fixture.announcer().arrival(&scenario.ada.user_id(), NOW).await;
    let (function, task) = fixture.starts.take().pop().unwrap();
    assert_eq!(function, FANOUT);
    let task = serde_json::from_value(task).unwrap();
    ws_fanout::handle(fixture.announcer(), &fixture.store, task).await.unwrap();
    let mut receivers: Vec<String> = fixture.pushes.take().into_iter().map(|(id, _)| id).collect();
    receivers.sort();
    assert_eq!(receivers, ["bob", "bob-phone"]);
}

#[tokio::test]
async fn what_is_due_is_announced_directly_to_a_small_audience() {
    let fixture: &'static FunctionFixture = leak(FunctionFixture::new());
    let Scenario { bob, .. } = Scenario::new(fixture).await;
    fixture.attach_json("bob", &bob).await;
    arrive(fixture, &ada()).await;
    let entry = async_event(move |task| ws_fanout::handle(fixture.announcer(), &fixture.store, task));
    for expected in [1, 0] {
        assert_eq!(invoke_event(&entry, &json!({ "due": NOW })).await.unwrap(), Value::Null);
        assert_eq!(fixture.pushes.take_frames("bob").len(), expected);
        assert_eq!(fixture.starts.take(), []);
    }
    assert_foreign_events_fail(&entry).await;
}
