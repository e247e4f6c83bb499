//! `SearchIndexWriter` through `_bulk`. Every message carries its revision as its version, so that what arrives late or
//! twice never overwrites what is newer.

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

use crate::link::{Answer, BOUND, Call, ErrorType, Kind};
use crate::{STORE, Search};

/// A request is sent when it has so many bytes; a single message may make it larger.
const BATCH_BYTES: usize = 1024 * 1024;

/// A request is sent when it has so many messages.
const BATCH: usize = 500;

#[async_trait]
impl SearchIndexWriter for Search {
    async fn prepare(&self) -> StoreResult<()> {
        self.setup().await
    }

    /// In the given order, in batches; the first batch that fails ends it. An index that is not there is made.
    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()> {
        let (mut lines, mut count) = (String::new(), 0);
        for (n, row) in messages.iter().enumerate() {
            line(&mut lines, &action(row));
            line(&mut lines, &document(&row.message, &row.members));
            count += 1;
            if lines.len() >= BATCH_BYTES || count >= BATCH || n + 1 == messages.len() {
                self.send(std::mem::take(&mut lines).into()).await?;
                count = 0;
            }
        }
        Ok(())
    }
}

impl Search {
    async fn send(&self, lines: Bytes) -> StoreResult<()> {
        if self.bulk(lines.clone()).await? == Batch::Homeless {
            self.setup().await?;
            if self.bulk(lines).await? == Batch::Homeless {
                return Err(StoreError::down(STORE, "the index vanished as soon as it was made"));
            }
        }
        Ok(())
    }

    async fn bulk(&self, body: Bytes) -> StoreResult<Batch> {
        // Only into the alias: otherwise a lost index would come back by itself, with a guessed mapping.
        let filter = "require_alias=true&filter_path=errors,items.*.status,items.*.error.type";
        let path = format!("/{}/_bulk?{filter}", self.name);
        let call = Call { method: Method::POST, path, kind: Kind::Lines, body, bound: BOUND };
        judged(&self.link.call(&call).await?)
    }
}

fn line(lines: &mut String, value: &Value) {
    lines.push_str(&value.to_string());
    lines.push('\n');
}

/// `external_gte`, since the same revision must be able to bring other members.
fn action(row: &SearchDocument) -> Value {
    let id = &row.message.id;
    json!({ "index": { "_id": id, "version": row.revision, "version_type": "external_gte" } })
}

/// A deleted message leaves only its id and version behind, which no query finds. The server forgets the
/// versions of what it deletes within a minute, and a late replay would bring the message back.
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

/// What became of a batch that did not fail.
#[derive(Debug, PartialEq, Eq)]
enum Batch {
    /// Every message is in, or something newer is.
    In,
    /// There is no index.
    Homeless,
}

#[derive(Deserialize)]
struct Judgement {
    errors: bool,
    /// Per message, under the name of its action.
    #[serde(default)]
    items: Vec<HashMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    error: Option<ErrorType>,
}

fn judged(answer: &Answer) -> StoreResult<Batch> {
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(Batch::Homeless);
    }
    let judgement: Judgement = answer.read()?;
    let all = judgement.items.len();
    let items = judgement.items.into_iter().flat_map(HashMap::into_values);
    // 409 is the version's: something newer is there.
    let refused: Vec<Item> = items.filter(|item| item.status >= 300 && item.status != 409).collect();
    let Some(first) = refused.first() else {
        let silent = judgement.errors && all == 0;
        return if silent { Err(corrupt("errors that name no message")) } else { Ok(Batch::In) };
    };
    if refused.iter().all(|item| item.status == 404) {
        return Ok(Batch::Homeless);
    }
    let kind = first.error.as_ref().map_or("without a reason", |error| error.kind.as_str());
    let cause = format!("{} of {all} messages refused, first {} {kind}", refused.len(), first.status);
    // What is full or down takes it later; what was understood and refused will be refused for ever.
    if refused.iter().any(|item| item.status == 429 || item.status >= 500) {
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
    fn a_deleted_message_leaves_nothing_to_find() {
        let members = [UserId::trusted("a")];
        let alive = json!({ "conversationId": "c", "id": "m", "memberIds": ["a"], "words": "cay iki" });
        assert_eq!(document(&message(None), &members), alive);
        assert_eq!(document(&message(Some(8)), &members), json!({ "id": "m" }));
    }
}
