//! The whole way with the commands that an operator has, against a runner that is up: a hundred and one people
//! with open sockets, a night, a day.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::Value;
use test_support::auto_messages::NIGHT;
use test_support::person::Person;
use test_support::test_server::TestServer;

use super::commands::command;
use super::socket_listener::Ear;
use crate::server::own_server;

const PEOPLE: usize = 101;
const PAIRS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(60);

/// Fires against the running one; no data directory of its own is touched.
fn fire(server: &TestServer, function: &str, at: &str) -> Value {
    command(server.port(), Path::new("/nowhere"), &["fire", function, "--at", at]).reply()
}

fn count(ears: &[Ear], event: &str) -> usize {
    ears.iter().map(|ear| ear.messages(event).len()).sum()
}

async fn wait_for(ears: &[Ear], event: &str, expected: usize) {
    let start = Instant::now();
    while count(ears, event) < expected {
        assert!(start.elapsed() < PATIENCE, "{} of {expected} {event}", count(ears, event));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn each_pair_receives_one_message_after_a_planned_night() {
    // The night is far ahead of every clock, so that nothing is due by itself.
    let server = own_server(&[("ACTIVE_DAYS", "40000")]);
    let people: Vec<Person> = (0..PEOPLE).map(|_| server.person()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ears = futures::future::join_all(people.iter().map(Ear::of)).await;
        night(&server, &ears).await;
        let pairs = pairs(&people, &ears);
        for (sender, receiver, message) in &pairs {
            in_history(sender, receiver, message);
        }
    });
}

async fn night(server: &TestServer, ears: &[Ear]) {
    let planned = fire(server, "auto-message-planner", NIGHT);
    expect![[r#"{"planned":50,"plannedFor":"2096-12-02","users":101}"#]].assert_eq(&planned.to_string());
    let again = fire(server, "auto-message-planner", NIGHT);
    expect![[r#"{"planned":0,"plannedFor":"2096-12-02","users":1}"#]].assert_eq(&again.to_string());
    // Every date lies ahead, and within a day.
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
    wait_for(ears, "message_received", PAIRS).await;
    let later = fire(server, "auto-message-queuer", "2096-12-03T23:00:00Z");
    expect![[r#"{"outOfTime":false,"queued":0}"#]].assert_eq(&sorted(&later));
    // Longer than the consumer's window: what came twice would have come by now.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((count(ears, "message_received"), count(ears, "message_sent")), (PAIRS, PAIRS));
}

/// By name, whatever order the reply has.
fn sorted(reply: &Value) -> String {
    let fields: BTreeMap<String, Value> = serde_json::from_value(reply.clone()).unwrap();
    serde_json::to_string(&fields).unwrap()
}

/// Who wrote to whom, as the sockets tell it: disjoint, each receiver told once, in the one shape.
fn pairs<'a>(people: &'a [Person], ears: &[Ear]) -> Vec<(&'a Person, &'a Person, Value)> {
    let mut pairs = Vec::new();
    let mut seen = BTreeSet::new();
    for (receiver, ear) in people.iter().zip(ears) {
        let told = ear.messages("message_received");
        assert!(told.len() <= 1, "{} was told {}", receiver.username, told.len());
        let Some(message) = told.into_iter().next() else { continue };
        assert_eq!(message["kind"], "auto");
        let sender = people.iter().find(|person| message["senderId"] == person.id).unwrap();
        assert!(seen.insert(&sender.id) && seen.insert(&receiver.id), "disjoint pairs");
        pairs.push((sender, receiver, message));
    }
    assert_eq!((pairs.len(), seen.len()), (PAIRS, 2 * PAIRS));
    pairs
}

fn in_history(sender: &Person, receiver: &Person, message: &Value) {
    let conversation = message["conversationId"].as_str().unwrap();
    assert_eq!(receiver.whole_history(conversation), std::slice::from_ref(message));
    assert_eq!(sender.whole_history(conversation), std::slice::from_ref(message));
    let listed = receiver.get("/api/conversations").data(200);
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 1);
    assert_eq!((receiver.unread_in(conversation), sender.unread_in(conversation)), (1, 0));
}
