//! The index itself: its mapping, creating and removing it, and the health check.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::error::{StoreError, StoreFailure};
use shared::ports::{Probe, StoreResult};
use std::time::Duration;

use crate::search_client::{ApiRequest, ApiResponse, BodyFormat, REQUEST_TIMEOUT};
use crate::{STORE, Search};

/// The version of the mapping. An index with a new version is built beside the old one, then the alias moves.
const VERSION: &str = "v1";

/// Limits a health check, including connecting.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

impl Search {
    /// Creates the index and its alias, unless the alias exists. Repeated and concurrent calls do no harm.
    ///
    /// # Errors
    /// `Down` when the server does not answer or rejects the request, for example because an index has the
    /// name of the alias.
    pub async fn setup(&self) -> StoreResult<()> {
        let alias = format!("/_alias/{}", self.alias);
        if self.send_json(Method::HEAD, alias, &Value::Null).await?.status.is_success() {
            return Ok(());
        }
        let response = self.send_json(Method::PUT, self.index_path(), &settings(&self.alias)).await?;
        if response.error_type().as_deref() != Some("resource_already_exists_exception") {
            return expect_success(&response);
        }
        // A concurrent call has created the index, or only the alias was removed.
        let alias = format!("{}/_alias/{}", self.index_path(), self.alias);
        expect_success(&self.send_json(Method::PUT, alias, &Value::Null).await?)
    }

    /// Removes the index with all documents. It can be rebuilt from the document store.
    ///
    /// # Errors
    /// `Down` when the server does not answer or rejects the request.
    pub async fn remove(&self) -> StoreResult<()> {
        let response = self.send_json(Method::DELETE, self.index_path(), &Value::Null).await?;
        if response.status == StatusCode::NOT_FOUND { Ok(()) } else { expect_success(&response) }
    }

    /// The path of the index behind the alias.
    fn index_path(&self) -> String {
        format!("/{}-{VERSION}", self.alias)
    }

    /// Sends a JSON body; with `null`, no body.
    async fn send_json(&self, method: Method, path: String, body: &Value) -> StoreResult<ApiResponse> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = ApiRequest { method, path, format: BodyFormat::Json, body, timeout: REQUEST_TIMEOUT };
        self.client.send(&request).await
    }
}

fn expect_success(response: &ApiResponse) -> StoreResult<()> {
    if response.status.is_success() { Ok(()) } else { Err(response.to_error()) }
}

/// Each word is one token of up to 16,000 characters. Its prefixes of up to 12 characters are indexed too, so a
/// short prefix is one lookup and not a scan of all words that start with it. Unknown fields are rejected.
fn settings(alias: &str) -> Value {
    json!({
        "aliases": { alias: {} },
        "settings": {
            "index.auto_expand_replicas": "0-1",
            "index.refresh_interval": "1s",
            "analysis": {
                "tokenizer": { "space": { "type": "whitespace", "max_token_length": 16_000 } },
                "analyzer": { "folded": { "type": "custom", "tokenizer": "space" } }
            }
        },
        "mappings": {
            "dynamic": "strict",
            "_source": { "excludes": ["words"] },
            "properties": {
                "id": { "type": "keyword" },
                "conversationId": { "type": "keyword" },
                "memberIds": { "type": "keyword" },
                "words": {
                    "type": "text",
                    "analyzer": "folded",
                    "norms": false,
                    "index_options": "docs",
                    "index_prefixes": { "min_chars": 1, "max_chars": 12 }
                }
            }
        }
    })
}

#[async_trait]
impl Probe for Search {
    /// Succeeds when every shard of the index answers a search.
    async fn check(&self) -> Result<(), StoreFailure> {
        let query = json!({ "size": 0, "query": { "match_none": {} } });
        match self.find(&query, PROBE_TIMEOUT).await {
            Ok(_) => Ok(()),
            Err(StoreError::Down(failure)) => Err(failure),
            Err(other) => Err(StoreFailure { store: STORE, cause: other.into() }),
        }
    }
}
