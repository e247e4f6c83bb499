//! How every failure reads, and that none outlasts its bound.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use shared::error::StoreError;
use shared::ports::{Probe, SearchIndex, SearchIndexWriter, StoreResult};
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::world::{message, query, row, search_on};

/// The promised five seconds, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(6_500);

const FOUND: &str = r#"{"timed_out":false,"hits":{"hits":[{"_id":"m2"},{"_id":"m1"}]}}"#;
const IN: &str = r#"{"errors":false,"items":[{"index":{"status":201}}]}"#;
const LOST: &str =
    r#"{"errors":true,"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception"}}}]}"#;

fn told<T: std::fmt::Debug>(answer: StoreResult<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Down(failure)) => format!("down: {}", failure.cause),
        Err(StoreError::Corrupt(_, cause)) => format!("corrupt: {cause}"),
        Err(StoreError::Taken(field)) => format!("taken: {field}"),
    }
}

async fn searching(script: &[ScriptedReply], expected: &Expect) {
    let server = ScriptedServer::start(script).await;
    let found = search_on(&server).search(&query("a", "word")).await;
    let ids = found.map(|hits| hits.into_iter().map(|hit| hit.cursor).collect::<Vec<_>>());
    expected.assert_eq(&format!("{} ({} asked)", told(ids), server.request_lines().len()));
}

async fn indexing(script: &[ScriptedReply], expected: &Expect) {
    let server = ScriptedServer::start(script).await;
    let answer = search_on(&server).index(&[row(&message("m", "word"), &["a"], 1)]).await;
    expected.assert_eq(&format!("{}\n{}", told(answer), server.request_lines().join("\n")));
}

#[tokio::test]
async fn a_search_finds_all_or_fails() {
    searching(&[ScriptedReply::new(200, FOUND)], &expect![[r#"["m2", "m1"] (1 asked)"#]]).await;
    searching(&[ScriptedReply::new(200, r#"{"timed_out":false}"#)], &expect!["[] (1 asked)"]).await;
    searching(
        &[ScriptedReply::new(200, r#"{"timed_out":true,"hits":{"hits":[]}}"#)],
        &expect!["down: the search took too long (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(200, "{}")],
        &expect!["corrupt: missing field `timed_out` at line 1 column 2 (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(200, "<html>")],
        &expect!["corrupt: expected value at line 1 column 1 (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(200, &" ".repeat(5 << 20))],
        &expect!["down: length limit exceeded (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(401, r#"{"error":{"type":"security_exception","reason":"r"}}"#)],
        &expect!["down: answered 401 security_exception (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(503, r#"{"error":{"type":"no_shard_available","reason":"r"}}"#)],
        &expect!["down: answered 503 no_shard_available (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::new(502, "<html>")],
        &expect!["down: answered 502 without a reason (1 asked)"],
    )
    .await;
    searching(
        &[ScriptedReply::Disconnect, ScriptedReply::new(200, FOUND)],
        &expect![[r#"["m2", "m1"] (2 asked)"#]],
    )
    .await;
    searching(
        &[ScriptedReply::Disconnect],
        &expect!["down: client error (SendRequest): connection closed before message completed (2 asked)"],
    )
    .await;
}

#[tokio::test]
async fn a_batch_is_in_or_fails() {
    let item = |status: u16| {
        format!(r#"{{"index":{{"status":{status},"error":{{"type":"why_{status}","reason":"secret"}}}}}}"#)
    };
    let some = |statuses: &[u16]| {
        let items: Vec<String> = statuses.iter().map(|status| item(*status)).collect();
        ScriptedReply::new(200, &format!(r#"{{"errors":true,"items":[{}]}}"#, items.join(",")))
    };
    indexing(
        &[ScriptedReply::new(200, IN)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[some(&[409])],
        &expect![[r#"
        ()
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[some(&[409, 429, 400])],
        &expect![[r#"
        down: 2 of 3 messages refused, first 429 why_429
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[some(&[409, 400])],
        &expect![[r#"
        corrupt: 1 of 2 messages refused, first 400 why_400
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[ScriptedReply::new(200, r#"{"errors":true}"#)],
        &expect![[r#"
        corrupt: errors that name no message
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[ScriptedReply::new(429, r#"{"error":{"type":"rejected","reason":"r"}}"#)],
        &expect![[r#"
        down: answered 429 rejected
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[ScriptedReply::Disconnect, ScriptedReply::new(200, IN)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        POST /es/messages/_bulk"#]],
    )
    .await;
}

#[tokio::test]
async fn a_batch_without_an_index_makes_one() {
    let (no_alias, made) = (ScriptedReply::new(404, ""), ScriptedReply::new(200, r#"{"acknowledged":true}"#));
    let there = ScriptedReply::new(400, r#"{"error":{"type":"resource_already_exists_exception"}}"#);
    let lost = || ScriptedReply::new(200, LOST);
    indexing(
        &[lost(), no_alias.clone(), made.clone(), ScriptedReply::new(200, IN)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[lost(), no_alias.clone(), there, made.clone(), ScriptedReply::new(200, IN)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        PUT /es/messages-v1/_alias/messages
        POST /es/messages/_bulk"#]],
    )
    .await;
    indexing(
        &[lost(), no_alias.clone(), made, lost()],
        &expect![[r#"
        down: the index vanished as soon as it was made
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        POST /es/messages/_bulk"#]],
    )
    .await;
    let refused = ScriptedReply::new(400, r#"{"error":{"type":"invalid_alias_name_exception"}}"#);
    indexing(
        &[lost(), no_alias, refused],
        &expect![[r#"
        down: answered 400 invalid_alias_name_exception
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1"#]],
    )
    .await;
}

#[tokio::test]
async fn silence_costs_the_bound_and_no_more() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let search = search_on(&server);
    let rows = [row(&message("m", "word"), &["a"], 1)];
    let asked = query("a", "word");
    let start = Instant::now();
    let (found, put, well) = tokio::join!(search.search(&asked), search.index(&rows), search.check());
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert!(matches!(found, Err(StoreError::Down(_))), "{found:?}");
    assert!(matches!(put, Err(StoreError::Down(_))), "{put:?}");
    assert_eq!(well.unwrap_err().store, "elasticsearch");
    assert_eq!(server.request_lines().len(), 3);
}

#[tokio::test]
async fn nobody_at_home_is_a_failure_at_once() {
    for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
        let config = adapter_elasticsearch::Config::new(url, "messages").unwrap();
        let start = Instant::now();
        let answer = told(adapter_elasticsearch::Search::new(config).search(&query("a", "word")).await);
        assert!(answer.contains("Connection refused"), "{answer}");
        assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    }
}
