//! `SearchIndexWriter` through `_bulk`. Each document carries the message's revision as its version, so a late or
//! repeated write never overwrites a newer one.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::error::{Cause, StoreError};
use shared::id::UserId;
use shared::message::Message;
use shared::ports::{SearchDocument, SearchIndexWriter, StoreResult};
use shared::search::vocabulary;

use crate::search_client::{ApiRequest, ApiResponse, BodyFormat, ErrorType, REQUEST_TIMEOUT};
use crate::{STORE, Search};

/// A batch is sent once it has this many bytes. Its last message may make it larger.
const BATCH_BYTES: usize = 1024 * 1024;

/// The most messages in a batch.
const BATCH: usize = 500;

#[async_trait]
impl SearchIndexWriter for Search {
    async fn prepare(&self) -> StoreResult<()> {
        self.setup().await
    }

    /// Sends the messages in order, in batches, and stops at the first batch that fails. Creates a missing index.
    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()> {
        let (mut body, mut count) = (String::new(), 0);
        for (n, row) in messages.iter().enumerate() {
            push_line(&mut body, &action(row));
            push_line(&mut body, &document(&row.message, &row.members));
            count += 1;
            if body.len() >= BATCH_BYTES || count >= BATCH || n + 1 == messages.len() {
                self.send_batch(std::mem::take(&mut body).into()).await?;
                count = 0;
            }
        }
        Ok(())
    }
}

impl Search {
    async fn send_batch(&self, body: Bytes) -> StoreResult<()> {
        if self.bulk(body.clone()).await? == BulkOutcome::IndexMissing {
            self.setup().await?;
            if self.bulk(body).await? == BulkOutcome::IndexMissing {
                return Err(StoreError::down(STORE, "the index is missing right after it was created"));
            }
        }
        Ok(())
    }

    async fn bulk(&self, body: Bytes) -> StoreResult<BulkOutcome> {
        // `require_alias`: otherwise the server would create a lost index itself, with a guessed mapping.
        let filter = "require_alias=true&filter_path=errors,items.*.status,items.*.error.type";
        let path = format!("/{}/_bulk?{filter}", self.alias);
        let format = BodyFormat::JsonLines;
        let request = ApiRequest { method: Method::POST, path, format, body, timeout: REQUEST_TIMEOUT };
        bulk_outcome(&self.client.send(&request).await?)
    }
}

fn push_line(body: &mut String, value: &Value) {
    body.push_str(&value.to_string());
    body.push('\n');
}

/// The version type is `external_gte`, because a write with the same revision may change the members.
fn action(row: &SearchDocument) -> Value {
    let id = &row.message.id;
    json!({ "index": { "_id": id, "version": row.revision, "version_type": "external_gte" } })
}

/// A deleted message stays as a document with only its id and version, which no query finds. If it were removed,
/// the server would drop its version within a minute, and a late write could index the message again.
fn document(message: &Message, members: &[UserId]) -> Value {
    if message.deleted_at.is_some() {
        return json!({ "id": message.id });
    }
    json!({
        "id": message.id,
        "conversationId": message.conversation_id,
        "memberIds": members,
        "words": vocabulary(&message.content).join(" "),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum BulkOutcome {
    /// The index contains every message in this revision or a newer one.
    Indexed,
    IndexMissing,
}

#[derive(Deserialize)]
struct BulkResponse {
    errors: bool,
    /// One map per message, with the name of its action as the only key.
    #[serde(default)]
    items: Vec<HashMap<String, BulkItem>>,
}

#[derive(Deserialize)]
struct BulkItem {
    status: u16,
    error: Option<ErrorType>,
}

fn bulk_outcome(response: &ApiResponse) -> StoreResult<BulkOutcome> {
    if response.status == StatusCode::NOT_FOUND {
        return Ok(BulkOutcome::IndexMissing);
    }
    let response: BulkResponse = response.decode()?;
    let total = response.items.len();
    let items = response.items.into_iter().flat_map(HashMap::into_values);
    // 409 is a version conflict: the index has a newer revision.
    let rejected: Vec<BulkItem> = items.filter(|item| item.status >= 300 && item.status != 409).collect();
    let Some(first) = rejected.first() else {
        if response.errors && total == 0 {
            return Err(corrupt("the bulk response reports errors but lists no messages"));
        }
        return Ok(BulkOutcome::Indexed);
    };
    if rejected.iter().all(|item| item.status == 404) {
        return Ok(BulkOutcome::IndexMissing);
    }
    let kind = first.error.as_ref().map_or("without an error type", |error| error.kind.as_str());
    let cause =
        format!("{} of {total} messages rejected, the first with {} {kind}", rejected.len(), first.status);
    // An overloaded or broken server may accept the batch later. Any other rejection is final.
    if rejected.iter().any(|item| item.status == 429 || item.status >= 500) {
        Err(StoreError::down(STORE, cause))
    } else {
        Err(corrupt(cause))
    }
}

fn corrupt(cause: impl Into<Cause>) -> StoreError {
    StoreError::Corrupt(STORE, cause.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::id::{ConversationId, MessageId, UserId};
    use shared::message::{Message, MessageKind};
    use shared::time::Time;

    use super::document;

    fn message(deleted: Option<i64>) -> Message {
        Message {
            id: MessageId::trusted("m"),
            conversation_id: ConversationId::trusted("c"),
            seq: 1,
            sender_id: UserId::trusted("a"),
            content: "İki çay, iki".to_owned(),
            kind: MessageKind::Text,
            client_message_id: None,
            auto_message_id: None,
            created_at: Time::from_millis(7),
            edited_at: None,
            deleted_at: deleted.map(Time::from_millis),
        }
    }

    #[test]
    fn a_deleted_message_is_indexed_without_words_and_members() {
        let members = [UserId::trusted("a")];
        let indexed = json!({ "conversationId": "c", "id": "m", "memberIds": ["a"], "words": "cay iki" });
        assert_eq!(document(&message(None), &members), indexed);
        assert_eq!(document(&message(Some(8)), &members), json!({ "id": "m" }));
    }
}
