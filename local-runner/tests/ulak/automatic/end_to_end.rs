//! Planner, queuer and consumer, run by the command `fire` against a running runner, for 101 users with open sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::Value;
use test_support::auto_messages::NIGHT;
use test_support::person::Person;
use test_support::test_server::TestServer;

use super::commands::command;
use super::socket_listener::SocketListener;
use crate::server::own_server;

const PEOPLE: usize = 101;
const PAIRS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(60);

/// Fires a schedule of the running server. The data directory does not exist, so the command cannot open it.
fn fire(server: &TestServer, function: &str, at: &str) -> Value {
    command(server.port(), Path::new("/nowhere"), &["fire", function, "--at", at]).reply()
}

fn count(listeners: &[SocketListener], event: &str) -> usize {
    listeners.iter().map(|listener| listener.messages(event).len()).sum()
}

async fn wait_for(listeners: &[SocketListener], event: &str, expected: usize) {
    let start = Instant::now();
    while count(listeners, event) < expected {
        assert!(start.elapsed() < PATIENCE, "{} of {expected} {event}", count(listeners, event));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn each_pair_receives_one_message_after_a_planned_night() {
    // The planned night is far in the future, so the runner's own schedules find nothing due.
    let server = own_server(&[("ACTIVE_DAYS", "40000")]);
    let people: Vec<Person> = (0..PEOPLE).map(|_| server.person()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listeners = futures::future::join_all(people.iter().map(SocketListener::open)).await;
        run_night(&server, &listeners).await;
        let pairs = pairs(&people, &listeners);
        for (sender, receiver, message) in &pairs {
            assert_in_history(sender, receiver, message);
        }
    });
}

async fn run_night(server: &TestServer, listeners: &[SocketListener]) {
    let planned = fire(server, "auto-message-planner", NIGHT);
    expect![[r#"{"planned":50,"plannedFor":"2096-12-02","users":101}"#]].assert_eq(&planned.to_string());
    let second = fire(server, "auto-message-planner", NIGHT);
    expect![[r#"{"planned":0,"plannedFor":"2096-12-02","users":1}"#]].assert_eq(&second.to_string());
    // At the time of planning nothing is due; a day later everything is.
    expect![[r#"{"outOfTime":false,"queued":0}"#]].assert_eq(&sorted(&fire(
        server,
        "auto-message-queuer",
        NIGHT,
    )));
    let end = "2096-12-02T23:00:00Z";
    expect![[r#"{"outOfTime":false,"queued":50}"#]].assert_eq(&sorted(&fire(
        server,
        "auto-message-queuer",
        end,
    )));
    wait_for(listeners, "message_received", PAIRS).await;
    let later = fire(server, "auto-message-queuer", "2096-12-03T23:00:00Z");
    expect![[r#"{"outOfTime":false,"queued":0}"#]].assert_eq(&sorted(&later));
    // Longer than the consumer's batching window, so that duplicates would have arrived.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((count(listeners, "message_received"), count(listeners, "message_sent")), (PAIRS, PAIRS));
}

/// The reply with its fields sorted by name.
fn sorted(reply: &Value) -> String {
    let fields: BTreeMap<String, Value> = serde_json::from_value(reply.clone()).unwrap();
    serde_json::to_string(&fields).unwrap()
}

/// Sender, receiver and message of every pair, from the received events. Checks that each user is in at most one pair.
fn pairs<'a>(people: &'a [Person], listeners: &[SocketListener]) -> Vec<(&'a Person, &'a Person, Value)> {
    let mut pairs = Vec::new();
    let mut seen = BTreeSet::new();
    for (receiver, listener) in people.iter().zip(listeners) {
        let received = listener.messages("message_received");
        assert!(received.len() <= 1, "{} received {} messages", receiver.username, received.len());
        let Some(message) = received.into_iter().next() else { continue };
        assert_eq!(message["kind"], "auto");
        let sender = people.iter().find(|person| message["senderId"] == person.id).unwrap();
        assert!(seen.insert(&sender.id) && seen.insert(&receiver.id), "a user is in two pairs");
        pairs.push((sender, receiver, message));
    }
    assert_eq!((pairs.len(), seen.len()), (PAIRS, 2 * PAIRS));
    pairs
}

fn assert_in_history(sender: &Person, receiver: &Person, message: &Value) {
    let conversation = message["conversationId"].as_str().unwrap();
    assert_eq!(receiver.whole_history(conversation), std::slice::from_ref(message));
    assert_eq!(sender.whole_history(conversation), std::slice::from_ref(message));
    let listed = receiver.get("/api/conversations").data(200);
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 1);
    assert_eq!((receiver.unread_in(conversation), sender.unread_in(conversation)), (1, 0));
}
