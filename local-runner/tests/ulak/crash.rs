//! SIGKILL while users write: after the restart every acknowledged message is stored exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::person::Person;
use test_support::test_server::leaves_process_mode;
use test_support::unique_name;

use crate::server::own_server;

const ROUNDS: usize = 4;
const WRITERS: usize = 4;

/// The state of a round, shared with its writers.
#[derive(Default)]
struct Round {
    acknowledged: AtomicUsize,
    /// From now on requests may fail because the server is killed.
    is_ending: AtomicBool,
}

/// Sends messages until the server is killed. Returns the acknowledged ones by key, and the key of the last attempt.
fn write_until_killed(
    sender: &Person,
    conversation: &str,
    round: &Round,
) -> (BTreeMap<String, Value>, String) {
    let mut acknowledged = BTreeMap::new();
    loop {
        let key = unique_name();
        let body = json!({ "conversationId": conversation, "content": key, "clientMessageId": key });
        match sender.post("/api/messages/send", &body).try_send() {
            Ok(answer) if answer.status == 201 => {
                acknowledged.insert(key, answer.data()["message"].take());
                round.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(error) if round.is_ending.load(Ordering::SeqCst) => {
                drop(error);
                return (acknowledged, key);
            }
            Err(error) => panic!("a request failed before the kill: {error}"),
        }
    }
}

fn by_key(history: &[Value]) -> BTreeMap<String, Value> {
    let rows = history.iter().map(|m| (m["clientMessageId"].as_str().unwrap().to_owned(), m.clone()));
    let map: BTreeMap<String, Value> = rows.collect();
    assert_eq!(map.len(), history.len(), "a message is stored twice");
    map
}

#[test]
fn acknowledged_messages_survive_kill_9_exactly_once() {
    let mut server = own_server(&[]);
    let (mut ada, mut bob, conversation) = server.pair();
    let mut acknowledged = BTreeMap::new();
    let mut last = Vec::new();
    for n in 0..ROUNDS {
        let round = Round::default();
        thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let sender = if writer % 2 == 0 { &ada } else { &bob };
                    scope.spawn(|| write_until_killed(sender, &conversation, &round))
                })
                .collect();
            // Each round is killed after another number of messages and another delay.
            while round.acknowledged.load(Ordering::SeqCst) < 10 + 17 * n {
                assert!(!writers.iter().all(thread::ScopedJoinHandle::is_finished), "all writers have ended");
                thread::sleep(Duration::from_millis(1 + 3 * n as u64));
            }
            round.is_ending.store(true, Ordering::SeqCst);
            server.kill();
            for writer in writers {
                let (more, attempt) = writer.join().unwrap();
                acknowledged.extend(more);
                last.push(attempt);
            }
        });
        server.kill_and_restart();
        (ada.port, bob.port) = (server.port(), server.port());
        let stored = by_key(&ada.whole_history(&conversation));
        for (key, message) in &acknowledged {
            assert_eq!(stored.get(key), Some(message), "round {n}: an acknowledged message has changed");
        }
        let unknown: Vec<&String> = stored.keys().filter(|key| !acknowledged.contains_key(*key)).collect();
        assert!(unknown.iter().all(|key| last.contains(key)), "stored without an attempt: {unknown:?}");
    }
    assert!(acknowledged.len() >= ROUNDS * 10, "only {} messages were acknowledged", acknowledged.len());
    repeat_unanswered(&[&ada, &bob], &conversation, &last);
}

/// After a crash a client sends again with the same key; the message exists once.
fn repeat_unanswered(writers: &[&Person; 2], conversation: &str, keys: &[String]) {
    let stored = by_key(&writers[0].whole_history(conversation));
    for (n, key) in keys.iter().enumerate() {
        let sender = writers[n % WRITERS % 2];
        let body = json!({ "conversationId": conversation, "content": key, "clientMessageId": key });
        let answer = sender.post("/api/messages/send", &body).send();
        // A store on another machine may have finished the killed server's request after the history was read.
        let expected: &[u16] = if stored.contains_key(key) { &[200] } else { &[200, 201] };
        assert!(expected.contains(&answer.status), "{}", answer.text());
    }
    let after = by_key(&writers[0].whole_history(conversation));
    let all: BTreeSet<&String> = stored.keys().chain(keys).collect();
    assert_eq!(after.keys().collect::<BTreeSet<_>>(), all);
}

/// The JWT secret is stored in the data directory, so that access tokens stay valid.
#[test]
fn sessions_secret_and_search_survive_a_restart() {
    if leaves_process_mode("function processes need JWT_SECRET, so none is generated") {
        return;
    }
    let mut server = own_server(&[("JWT_SECRET", "")]);
    let (mut ada, mut bob, conversation) = server.pair();
    let message = ada.send(&conversation, "remember the oranges");
    server.wait_until_searchable();
    bob.request("PUT", &format!("/api/conversations/{conversation}/read")).data(200);
    let ended = ada.log_in();
    ended.request("POST", "/api/auth/logout").data(200);
    let secret = std::fs::read_to_string(server.data().join("jwt-secret")).unwrap();
    for _ in 0..2 {
        server.kill_and_restart();
        (ada.port, bob.port) = (server.port(), server.port());
        assert_eq!(ada.me()["id"], ada.id, "the access token is still valid");
        let logged_out = Person { port: server.port(), ..ended.clone() };
        logged_out.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
        let hits = bob.get("/api/messages/search?q=oranges").data(200);
        assert_eq!(hits["hits"][0]["message"], message);
        assert_eq!(bob.unread_in(&conversation), 0);
        let data = ada.refresh_with(&ada.refresh_token).data();
        ada.access_token = data["accessToken"].as_str().unwrap().to_owned();
        ada.refresh_token = data["refreshToken"].as_str().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(server.data().join("jwt-secret")).unwrap(), secret);
        assert!(!server.log().contains(&secret), "the log contains the secret");
    }
}
