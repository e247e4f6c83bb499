//! The requests that the server receives.

use expect_test::expect;
use serde_json::Value;
use shared::id::ConversationId;
use shared::ports::{SearchIndex, SearchIndexWriter, SearchQuery};
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

use crate::test_index::{document, message, query, search_on};

#[tokio::test]
async fn a_query_is_sent_as_json_with_credentials_and_escaped_terms() {
    let server = ScriptedServer::start(&[ScriptedReply::new(200, r#"{"timed_out":false}"#)]).await;
    let conversation = Some(ConversationId::trusted("c"));
    let after = Some("m9".to_owned());
    let terms = vec!["cay".to_owned(), "\"}*".to_owned()];
    let search_query = SearchQuery { terms, conversation, after, limit: 7, ..query("a", "") };
    search_on(&server).search(&search_query).await.unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.headers()["authorization"], "Basic YWRhOnNlY3JldA==");
    assert_eq!(request.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    expect![[r#"
        POST /es/messages/_search?allow_partial_search_results=false&filter_path=timed_out,hits.hits._id
        {
          "_source": false,
          "query": {
            "bool": {
              "filter": [
                {
                  "term": {
                    "memberIds": "a"
                  }
                },
                {
                  "term": {
                    "conversationId": "c"
                  }
                },
                {
                  "prefix": {
                    "words": "cay"
                  }
                },
                {
                  "prefix": {
                    "words": "\"}*"
                  }
                }
              ]
            }
          },
          "search_after": [
            "m9"
          ],
          "size": 7,
          "sort": [
            {
              "id": "desc"
            }
          ],
          "timeout": "4s",
          "track_total_hits": false
        }"#]]
    .assert_eq(&format!("{} {}\n{body:#}", request.method(), request.uri()));
}

#[tokio::test]
async fn a_batch_is_sent_as_json_lines() {
    let server = ScriptedServer::start(&[ScriptedReply::new(200, r#"{"errors":false}"#)]).await;
    let documents =
        [document(&message("m1", "İki\nçay"), &["a", "b"], 1), document(&message("m2", ""), &[], 7)];
    search_on(&server).index(&documents).await.unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.headers()["content-type"], "application/x-ndjson");
    let body = std::str::from_utf8(request.body()).unwrap();
    expect![[r#"
        POST /es/messages/_bulk?require_alias=true&filter_path=errors,items.*.status,items.*.error.type
        {"index":{"_id":"m1","version":1,"version_type":"external_gte"}}
        {"conversationId":"c","id":"m1","memberIds":["a","b"],"words":"cay iki"}
        {"index":{"_id":"m2","version":7,"version_type":"external_gte"}}
        {"conversationId":"c","id":"m2","memberIds":[],"words":""}
    "#]]
    .assert_eq(&format!("{} {}\n{body}", request.method(), request.uri()));
}

#[tokio::test]
async fn no_request_is_sent_when_the_batch_or_the_query_is_empty() {
    let server = ScriptedServer::start(&[ScriptedReply::new(500, "")]).await;
    let search = search_on(&server);
    search.index(&[]).await.unwrap();
    for search_query in [query("a", ""), SearchQuery { limit: 0, ..query("a", "word") }] {
        assert!(search.search(&search_query).await.unwrap().is_empty());
    }
    assert!(server.request_lines().is_empty());
}
