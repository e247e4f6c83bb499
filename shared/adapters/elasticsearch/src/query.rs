//! `SearchIndex`: filters by member, conversation and word prefixes, sorts by message id. Terms are values in a
//! JSON query, never query syntax, so no character in a term has a meaning to the server.

use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::error::StoreError;
use shared::id::MessageId;
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};

use crate::search_client::{ApiRequest, BodyFormat, REQUEST_TIMEOUT};
use crate::{STORE, Search};

#[async_trait]
impl SearchIndex for Search {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        if query.limit == 0 || query.terms.iter().all(String::is_empty) {
            return Ok(Vec::new());
        }
        let ids = self.find(&search_body(query), REQUEST_TIMEOUT).await?;
        let hit = |id: String| SearchHit { cursor: id.clone(), message: MessageId::trusted(id) };
        Ok(ids.into_iter().map(hit).collect())
    }
}

impl Search {
    /// The ids of the matching documents.
    ///
    /// # Errors
    /// `Down` also when the server has only some of the hits.
    pub(crate) async fn find(&self, query: &Value, timeout: Duration) -> StoreResult<Vec<String>> {
        let filter = "allow_partial_search_results=false&filter_path=timed_out,hits.hits._id";
        let path = format!("/{}/_search?{filter}", self.alias);
        let body = query.to_string().into();
        let request = ApiRequest { method: Method::POST, path, format: BodyFormat::Json, body, timeout };
        let response: SearchResponse = self.client.send(&request).await?.decode()?;
        if response.timed_out {
            return Err(StoreError::down(STORE, "the server stopped the search at its time limit"));
        }
        Ok(response.hits.hits.into_iter().map(|hit| hit.id).collect())
    }
}

fn search_body(query: &SearchQuery) -> Value {
    let mut filter = vec![json!({ "term": { "memberIds": query.member } })];
    filter.extend(query.conversation.iter().map(|id| json!({ "term": { "conversationId": id } })));
    filter.extend(query.terms.iter().map(|term| json!({ "prefix": { "words": term } })));
    let mut body = json!({
        "size": query.limit,
        "timeout": "4s",
        "_source": false,
        "track_total_hits": false,
        "query": { "bool": { "filter": filter } },
        "sort": [{ "id": "desc" }],
    });
    if let Some(after) = &query.after {
        body["search_after"] = json!([after]);
    }
    body
}

#[derive(Deserialize)]
struct SearchResponse {
    /// Required: a response without it does not come from a search server.
    timed_out: bool,
    /// Absent when there are no hits.
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
