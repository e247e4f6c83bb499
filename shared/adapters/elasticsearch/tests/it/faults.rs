//! How the adapter reports each failure of the server, and that every call ends within its timeout.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use shared::error::StoreError;
use shared::ports::{Probe, SearchIndex, SearchIndexWriter, StoreResult};
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::test_index::{document, message, query, search_on};

/// The adapter's timeout of five seconds, plus slack for a busy machine.
const LIMIT: Duration = Duration::from_millis(6_500);

const FOUND: &str = r#"{"timed_out":false,"hits":{"hits":[{"_id":"m2"},{"_id":"m1"}]}}"#;
const INDEXED: &str = r#"{"errors":false,"items":[{"index":{"status":201}}]}"#;
const INDEX_MISSING: &str =
    r#"{"errors":true,"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception"}}}]}"#;

fn describe<T: std::fmt::Debug>(result: StoreResult<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Down(failure)) => format!("down: {}", failure.cause),
        Err(StoreError::Corrupt(_, cause)) => format!("corrupt: {cause}"),
        Err(StoreError::Taken(field)) => format!("taken: {field}"),
    }
}

async fn check_search(script: &[ScriptedReply], expected: &Expect) {
    let server = ScriptedServer::start(script).await;
    let found = search_on(&server).search(&query("a", "word")).await;
    let ids = found.map(|hits| hits.into_iter().map(|hit| hit.cursor).collect::<Vec<_>>());
    expected.assert_eq(&format!("{} (requests: {})", describe(ids), server.request_lines().len()));
}

async fn check_index(script: &[ScriptedReply], expected: &Expect) {
    let server = ScriptedServer::start(script).await;
    let answer = search_on(&server).index(&[document(&message("m", "word"), &["a"], 1)]).await;
    expected.assert_eq(&format!("{}\n{}", describe(answer), server.request_lines().join("\n")));
}

#[tokio::test]
async fn a_search_returns_all_hits_or_an_error() {
    check_search(&[ScriptedReply::new(200, FOUND)], &expect![[r#"["m2", "m1"] (requests: 1)"#]]).await;
    check_search(&[ScriptedReply::new(200, r#"{"timed_out":false}"#)], &expect!["[] (requests: 1)"]).await;
    check_search(
        &[ScriptedReply::new(200, r#"{"timed_out":true,"hits":{"hits":[]}}"#)],
        &expect!["down: the server stopped the search at its time limit (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(200, "{}")],
        &expect!["corrupt: missing field `timed_out` at line 1 column 2 (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(200, "<html>")],
        &expect!["corrupt: expected value at line 1 column 1 (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(200, &" ".repeat(5 << 20))],
        &expect!["down: length limit exceeded (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(401, r#"{"error":{"type":"security_exception","reason":"r"}}"#)],
        &expect!["down: HTTP status 401 security_exception (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(503, r#"{"error":{"type":"no_shard_available","reason":"r"}}"#)],
        &expect!["down: HTTP status 503 no_shard_available (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::new(502, "<html>")],
        &expect!["down: HTTP status 502 without an error type (requests: 1)"],
    )
    .await;
    check_search(
        &[ScriptedReply::Disconnect, ScriptedReply::new(200, FOUND)],
        &expect![[r#"["m2", "m1"] (requests: 2)"#]],
    )
    .await;
    check_search(
        &[ScriptedReply::Disconnect],
        &expect![
            "down: client error (SendRequest): connection closed before message completed (requests: 2)"
        ],
    )
    .await;
}

#[tokio::test]
async fn a_batch_is_indexed_completely_or_fails() {
    let item = |status: u16| {
        format!(r#"{{"index":{{"status":{status},"error":{{"type":"why_{status}","reason":"secret"}}}}}}"#)
    };
    let rejected = |statuses: &[u16]| {
        let items: Vec<String> = statuses.iter().map(|status| item(*status)).collect();
        ScriptedReply::new(200, &format!(r#"{{"errors":true,"items":[{}]}}"#, items.join(",")))
    };
    check_index(
        &[ScriptedReply::new(200, INDEXED)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[rejected(&[409])],
        &expect![[r#"
        ()
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[rejected(&[409, 429, 400])],
        &expect![[r#"
        down: 2 of 3 messages rejected, the first with 429 why_429
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[rejected(&[409, 400])],
        &expect![[r#"
        corrupt: 1 of 2 messages rejected, the first with 400 why_400
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[ScriptedReply::new(200, r#"{"errors":true}"#)],
        &expect![[r#"
        corrupt: the bulk response reports errors but lists no messages
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[ScriptedReply::new(429, r#"{"error":{"type":"rejected","reason":"r"}}"#)],
        &expect![[r#"
        down: HTTP status 429 rejected
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[ScriptedReply::Disconnect, ScriptedReply::new(200, INDEXED)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        POST /es/messages/_bulk"#]],
    )
    .await;
}

#[tokio::test]
async fn a_batch_creates_the_index_when_it_is_missing() {
    let (no_alias, created) =
        (ScriptedReply::new(404, ""), ScriptedReply::new(200, r#"{"acknowledged":true}"#));
    let exists = ScriptedReply::new(400, r#"{"error":{"type":"resource_already_exists_exception"}}"#);
    let missing = || ScriptedReply::new(200, INDEX_MISSING);
    check_index(
        &[missing(), no_alias.clone(), created.clone(), ScriptedReply::new(200, INDEXED)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[missing(), no_alias.clone(), exists, created.clone(), ScriptedReply::new(200, INDEXED)],
        &expect![[r#"
        ()
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        PUT /es/messages-v1/_alias/messages
        POST /es/messages/_bulk"#]],
    )
    .await;
    check_index(
        &[missing(), no_alias.clone(), created, missing()],
        &expect![[r#"
        down: the index is missing right after it was created
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1
        POST /es/messages/_bulk"#]],
    )
    .await;
    let refused = ScriptedReply::new(400, r#"{"error":{"type":"invalid_alias_name_exception"}}"#);
    check_index(
        &[missing(), no_alias, refused],
        &expect![[r#"
        down: HTTP status 400 invalid_alias_name_exception
        POST /es/messages/_bulk
        HEAD /es/_alias/messages
        PUT /es/messages-v1"#]],
    )
    .await;
}

#[tokio::test]
async fn calls_time_out_within_the_limit_when_the_server_is_unresponsive() {
    let server = ScriptedServer::start(&[ScriptedReply::Ignore]).await;
    let search = search_on(&server);
    let documents = [document(&message("m", "word"), &["a"], 1)];
    let words = query("a", "word");
    let start = Instant::now();
    let (found, indexed, health) =
        tokio::join!(search.search(&words), search.index(&documents), search.check());
    assert!(start.elapsed() < LIMIT, "took {:?}", start.elapsed());
    assert!(matches!(found, Err(StoreError::Down(_))), "{found:?}");
    assert!(matches!(indexed, Err(StoreError::Down(_))), "{indexed:?}");
    assert_eq!(health.unwrap_err().store, "elasticsearch");
    assert_eq!(server.request_lines().len(), 3);
}

#[tokio::test]
async fn a_search_fails_at_once_when_nothing_listens() {
    for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
        let config = adapter_elasticsearch::Config::new(url, "messages").unwrap();
        let start = Instant::now();
        let answer = describe(adapter_elasticsearch::Search::new(config).search(&query("a", "word")).await);
        assert!(answer.contains("Connection refused"), "{answer}");
        assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    }
}
