//! `SearchIndex`: members, conversation and words filter, ids order. A query is data in a JSON text, never a
//! language: the server is asked for beginnings, and nothing in a term means anything to it.

use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::error::StoreError;
use shared::id::MessageId;
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};

use crate::link::{BOUND, Call, Kind};
use crate::{STORE, Search};

#[async_trait]
impl SearchIndex for Search {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        if query.limit == 0 || query.terms.iter().all(String::is_empty) {
            return Ok(Vec::new());
        }
        let found = self.find(&asked(query), BOUND).await?;
        let hit = |id: String| SearchHit { cursor: id.clone(), message: MessageId::trusted(id) };
        Ok(found.into_iter().map(hit).collect())
    }
}

impl Search {
    /// The ids that the server finds; `Down` rather than only some of them.
    pub(crate) async fn find(&self, query: &Value, bound: Duration) -> StoreResult<Vec<String>> {
        let filter = "allow_partial_search_results=false&filter_path=timed_out,hits.hits._id";
        let path = format!("/{}/_search?{filter}", self.name);
        let body = query.to_string().into();
        let answer =
            self.link.call(&Call { method: Method::POST, path, kind: Kind::Json, body, bound }).await?;
        let found: Found = answer.read()?;
        if found.timed_out {
            return Err(StoreError::down(STORE, "the search took too long"));
        }
        Ok(found.hits.hits.into_iter().map(|hit| hit.id).collect())
    }
}

/// The query in the server's words.
fn asked(query: &SearchQuery) -> Value {
    let mut filter = vec![json!({ "term": { "memberIds": query.member } })];
    filter.extend(query.conversation.iter().map(|id| json!({ "term": { "conversationId": id } })));
    filter.extend(query.terms.iter().map(|term| json!({ "prefix": { "words": term } })));
    let mut asked = json!({
        "size": query.limit,
        "timeout": "4s",
        "_source": false,
        "track_total_hits": false,
        "query": { "bool": { "filter": filter } },
        "sort": [{ "id": "desc" }],
    });
    if let Some(after) = &query.after {
        asked["search_after"] = json!([after]);
    }
    asked
}

#[derive(Deserialize)]
struct Found {
    /// Always there: without it, whoever answered was no search server.
    timed_out: bool,
    /// Absent when there are none.
    #[serde(default)]
    hits: Hits,
}

#[derive(Deserialize, Default)]
struct Hits {
    #[serde(default)]
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_id")]
    id: String,
}
