//! Search: spelling variants, only in the caller's conversations, paging, edited and deleted messages.

use serde_json::{Value, json};
use test_support::person::{Person, texts};
use test_support::unique_name;

use crate::server::shared_server;

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn hits(person: &Person, q: &str, rest: &str) -> Value {
    person.get(&format!("/api/messages/search?q={}{rest}", encoded(q))).data(200)
}

fn contents(data: &Value) -> Vec<String> {
    let found: Vec<&Value> = data["hits"].as_array().unwrap().iter().map(|hit| &hit["message"]).collect();
    texts(&json!(found), "content")
}

#[test]
fn words_are_found_in_any_case_and_without_accents() {
    let (ada, bob, conversation) = shared_server().pair();
    let text = "Yarın İSTANBUL'da Çağrı'yla IŞIKLI bir kahve <b>içelim</b>";
    ada.send(&conversation, text);
    bob.send(&conversation, "another message");
    shared_server().wait_until_searchable();
    for q in [
        "istanbul",
        "İstanbul",
        "ISTANBUL",
        "cagri",
        "ÇAĞRI",
        "ışıklı",
        "isikli",
        "kah",
        "kahve yarin",
        "ic",
        "b",
    ] {
        assert_eq!(contents(&hits(&bob, q, "")), [text], "{q}");
    }
    for q in ["tanbul", "kahveler", "kahve çay", "script"] {
        assert!(contents(&hits(&bob, q, "")).is_empty(), "{q}");
    }
    let hit = hits(&bob, "kahve istanbul", "")["hits"][0].take();
    assert_eq!(
        hit["highlight"],
        "Yarın <mark>İSTANBUL</mark>&#39;da Çağrı&#39;yla IŞIKLI bir <mark>kahve</mark> &lt;b&gt;içelim&lt;/b&gt;"
    );
    assert_eq!(hit["message"], bob.history(&conversation, "limit=2")["messages"][0]);
}

#[test]
fn search_finds_only_messages_of_own_conversations() {
    let server = shared_server();
    let (ada, bob, direct) = server.pair();
    let eve = server.person();
    let word = unique_name();
    let group = ada.group_with(&[&bob], "two");
    ada.send(&direct, &format!("{word} direct"));
    bob.send(&group, &format!("{word} group"));
    eve.send_to(&server.person(), &format!("{word} elsewhere"));
    shared_server().wait_until_searchable();
    for (person, found) in
        [(&ada, vec!["group", "direct"]), (&bob, vec!["group", "direct"]), (&eve, vec!["elsewhere"])]
    {
        let expected: Vec<String> = found.iter().map(|rest| format!("{word} {rest}")).collect();
        assert_eq!(contents(&hits(person, &word, "")), expected);
    }
    let only = hits(&ada, &word, &format!("&conversationId={direct}"));
    assert_eq!(contents(&only), [format!("{word} direct")]);
    eve.get(&format!("/api/messages/search?q={word}&conversationId={direct}")).fails(404, "NOT_FOUND");
    shared_server().request("GET", &format!("/api/messages/search?q={word}")).fails(401, "UNAUTHENTICATED");
    for hostile in [format!("&userId={}", ada.id), format!("&member={}", ada.id)] {
        eve.get(&format!("/api/messages/search?q={word}{hostile}")).fails(422, "VALIDATION_FAILED");
    }
}

#[test]
fn hits_are_paged_newest_first() {
    let (ada, bob, conversation) = shared_server().pair();
    let all: Vec<String> = (0..11).map(|n| format!("tea number {n}")).collect();
    for text in &all {
        ada.send(&conversation, text);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    shared_server().wait_until_searchable();
    let mut found = Vec::new();
    let mut rest = "&limit=4".to_owned();
    loop {
        let page = hits(&bob, "tea", &rest);
        found.extend(contents(&page));
        let Some(next) = page["nextCursor"].as_str() else { break };
        rest = format!("&limit=4&cursor={next}");
    }
    found.reverse();
    assert_eq!(found, all);
}

#[test]
fn edited_text_is_found_and_deleted_text_is_not() {
    let (ada, bob, conversation) = shared_server().pair();
    let message = ada.send(&conversation, "oranges")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/messages/{message}");
    ada.patch(&path, &json!({ "content": "apples" })).data(200);
    assert!(contents(&hits(&bob, "oranges", "")).is_empty());
    shared_server().wait_until_searchable();
    assert_eq!(contents(&hits(&bob, "apples", "")), ["apples"]);
    ada.delete(&path).data(200);
    assert!(contents(&hits(&bob, "apples", "")).is_empty());
}

#[test]
fn query_operators_are_plain_words_or_rejected() {
    let (ada, _, conversation) = shared_server().pair();
    ada.send(&conversation, "quote near or not content and star");
    shared_server().wait_until_searchable();
    for q in ["\"", "*", "''--", "()", "-", "^", " ", "\u{0}", "🎉", "x".repeat(401).as_str(), ""] {
        let answer =
            ada.get(&format!("/api/messages/search?q={}", encoded(q))).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["q"], "{q:?}");
    }
    for (q, count) in [
        ("content:quote", 1),
        ("NEAR(quote not)", 1),
        ("quote OR nothing", 0),
        ("quote AND NOT content", 1),
        ("sta*", 1),
        ("\"quote near\"", 1),
        ("quote; DROP TABLE messages", 0),
        (&"quote ".repeat(60), 1),
    ] {
        assert_eq!(contents(&hits(&ada, q, "")).len(), count, "{q}");
    }
    let many: String = (0..17).map(|n| format!("word{n}+")).collect();
    let answer = ada.get(&format!("/api/messages/search?q={many}")).fails(422, "VALIDATION_FAILED");
    assert_eq!(answer.fields(), ["q"], "too many words must be an error, not ignored");
    for (query, field) in
        [("", "q"), ("q=x&limit=0", "limit"), ("q=x&limit=101", "limit"), ("q=x&cursor=%20", "cursor")]
    {
        let answer = ada.get(&format!("/api/messages/search?{query}")).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}
