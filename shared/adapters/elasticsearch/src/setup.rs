//! The index itself: its mapping, making it, and asking it how it is.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::error::{StoreError, StoreFailure};
use shared::ports::{Probe, StoreResult};
use std::time::Duration;

use crate::link::{Answer, BOUND, Call, Kind};
use crate::{STORE, Search};

/// The mapping's version. An index with another one is built beside the old one, and the alias moved.
const VERSION: &str = "v1";

/// The longest that health waits.
const HEALTH: Duration = Duration::from_secs(2);

impl Search {
    /// Creates the index and its alias, if the alias is not there. Any number of times, by anybody at once.
    ///
    /// # Errors
    /// `Down` when the server does not answer, or refuses, for example because an index has the alias's name.
    pub async fn setup(&self) -> StoreResult<()> {
        let alias = format!("/_alias/{}", self.name);
        if self.json(Method::HEAD, alias, &Value::Null).await?.status.is_success() {
            return Ok(());
        }
        let answer = self.json(Method::PUT, self.index(), &settings(&self.name)).await?;
        if answer.error_type().as_deref() != Some("resource_already_exists_exception") {
            return done(&answer);
        }
        // Somebody else was faster, or took the alias away.
        let alias = format!("{}/_alias/{}", self.index(), self.name);
        done(&self.json(Method::PUT, alias, &Value::Null).await?)
    }

    /// Removes the index with all that is in it, so that it can be built anew from the document store.
    ///
    /// # Errors
    /// `Down` when the server does not answer or refuses.
    pub async fn remove(&self) -> StoreResult<()> {
        let answer = self.json(Method::DELETE, self.index(), &Value::Null).await?;
        if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { done(&answer) }
    }

    /// The path of the index behind the alias.
    fn index(&self) -> String {
        format!("/{}-{VERSION}", self.name)
    }

    /// Sends JSON, or with null no body at all.
    async fn json(&self, method: Method, path: String, body: &Value) -> StoreResult<Answer> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        self.link.call(&Call { method, path, kind: Kind::Json, body, bound: BOUND }).await
    }
}

fn done(answer: &Answer) -> StoreResult<()> {
    if answer.status.is_success() { Ok(()) } else { Err(answer.refusal()) }
}

/// One word is one token, whole, however long; its first letters are indexed as well, so that a prefix costs
/// one look-up, not a walk over all words that begin so. Unknown fields are refused.
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
    /// Well means: every shard of the index would answer a search now.
    async fn check(&self) -> Result<(), StoreFailure> {
        let query = json!({ "size": 0, "query": { "match_none": {} } });
        match self.find(&query, HEALTH).await {
            Ok(_) => Ok(()),
            Err(StoreError::Down(failure)) => Err(failure),
            Err(other) => Err(StoreFailure { store: STORE, cause: other.into() }),
        }
    }
}
