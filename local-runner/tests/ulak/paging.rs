//! Paging through a history in both directions: each message is on exactly one page.

use serde_json::Value;
use test_support::person::Person;

use crate::server::shared_server;

const MESSAGES: u64 = 250;

fn send_messages(pair: &(Person, Person, String)) -> Vec<u64> {
    let (ada, bob, conversation) = pair;
    (0..MESSAGES)
        .map(|n| {
            let sender = if n % 2 == 0 { ada } else { bob };
            sender.send(conversation, &format!("message {n}"))["seq"].as_u64().unwrap()
        })
        .collect()
}

fn seqs(page: &Value) -> Vec<u64> {
    page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

#[test]
fn long_history_is_paged_in_both_directions() {
    let pair = shared_server().pair();
    let all = send_messages(&pair);
    let (ada, _, conversation) = &pair;
    for limit in [7, 50, 99, 100] {
        let (older, oldest) = backwards(ada, conversation, limit);
        assert_eq!(older, all, "backwards by {limit}");
        let newer = forwards(ada, conversation, limit, &oldest);
        assert_eq!(newer, all[1..], "forwards by {limit}, from the oldest message");
    }
}

/// The seqs of all messages, read by `nextCursor`, and the oldest message's id.
fn backwards(reader: &Person, conversation: &str, limit: usize) -> (Vec<u64>, String) {
    let mut pages: Vec<Vec<u64>> = Vec::new();
    let mut query = format!("limit={limit}");
    loop {
        let page = reader.history(conversation, &query);
        let found = seqs(&page);
        assert!(found.is_sorted(), "a page is not sorted oldest first");
        pages.push(found);
        match page["nextCursor"].as_str() {
            Some(next) => {
                assert_eq!(pages.last().unwrap().len(), limit, "a page before the last one is not full");
                query = format!("limit={limit}&before={next}");
            }
            None => {
                let oldest = page["messages"][0]["id"].as_str().unwrap().to_owned();
                return (pages.into_iter().rev().flatten().collect(), oldest);
            }
        }
    }
}

/// The seqs of all messages after the message `from`, read by `prevCursor`.
fn forwards(reader: &Person, conversation: &str, limit: usize, from: &str) -> Vec<u64> {
    let mut all = Vec::new();
    let mut after = from.to_owned();
    loop {
        let page = reader.history(conversation, &format!("limit={limit}&after={after}"));
        let found = seqs(&page);
        let next = page["prevCursor"].as_str().unwrap().to_owned();
        if found.is_empty() {
            assert_eq!(next, after, "an empty page returns its own cursor");
            return all;
        }
        all.extend(found);
        after = next;
    }
}

#[test]
fn paging_back_returns_the_previous_page() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    for n in 0..12 {
        bob.send(&conversation, &n.to_string());
    }
    let newest = ada.history(&conversation, "limit=4");
    let older =
        ada.history(&conversation, &format!("limit=4&before={}", newest["nextCursor"].as_str().unwrap()));
    let back =
        ada.history(&conversation, &format!("limit=4&after={}", older["prevCursor"].as_str().unwrap()));
    assert_eq!((seqs(&older), seqs(&back)), ((5..=8).collect(), (9..=12).collect()));
    assert_eq!(seqs(&newest), seqs(&back));
    let forth =
        ada.history(&conversation, &format!("limit=4&before={}", back["nextCursor"].as_str().unwrap()));
    assert_eq!(seqs(&forth), seqs(&older));
}

#[test]
fn cursor_stays_valid_when_messages_are_added_and_deleted() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    for n in 0..10 {
        bob.send(&conversation, &n.to_string());
    }
    let newest = ada.history(&conversation, "limit=5");
    let cursor = newest["nextCursor"].as_str().unwrap();
    for n in 0..3 {
        bob.send(&conversation, &format!("late {n}"));
    }
    bob.delete(&format!("/api/messages/{cursor}")).data(200);
    let older = ada.history(&conversation, &format!("limit=5&before={cursor}"));
    assert_eq!(seqs(&older), (1..=5).collect::<Vec<_>>(), "the page has changed");
}

#[test]
fn next_cursor_is_null_at_the_oldest_message() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let empty = ada.history(&conversation, "");
    assert_eq!((seqs(&empty), &empty["nextCursor"]), (vec![], &Value::Null));
    let only = bob.send(&conversation, "only")["id"].as_str().unwrap().to_owned();
    for query in ["limit=1".to_owned(), "limit=100".to_owned(), String::new()] {
        let page = ada.history(&conversation, &query);
        assert_eq!((seqs(&page), &page["nextCursor"]), (vec![1], &Value::Null), "{query}");
    }
    let before = ada.history(&conversation, &format!("before={only}"));
    assert_eq!((seqs(&before), &before["nextCursor"]), (vec![], &Value::Null));
    let after = ada.history(&conversation, &format!("after={only}"));
    assert_eq!((seqs(&after), &after["nextCursor"]), (vec![], &Value::from(only)), "older messages exist");
}

#[test]
fn invalid_page_parameters_are_rejected() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let elsewhere = ada.send_to(&server.person(), "elsewhere")["id"].as_str().unwrap().to_owned();
    let here = bob.send(&conversation, "here")["id"].as_str().unwrap().to_owned();
    for (query, field) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=101".to_owned(), "limit"),
        ("limit=x".to_owned(), "limit"),
        ("before=a%20b".to_owned(), "before"),
        ("after=%24gt".to_owned(), "after"),
        (format!("before={here}&after={here}"), "after"),
        ("page=2".to_owned(), "page"),
    ] {
        let answer =
            ada.get(&format!("/api/messages/{conversation}?{query}")).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), [field], "{query}");
    }
    for query in [format!("before={elsewhere}"), "after=01NOTHING".to_owned()] {
        ada.get(&format!("/api/messages/{conversation}?{query}")).fails(404, "NOT_FOUND");
    }
}
