//! Appending a message: how it gets its `seq`. Three writes, no transaction:
//!
//! 1. **Issue.** One atomic update of the conversation increments `issuedSeq` and adds the message, with this `seq`,
//!    to the conversation's `pending` list. It returns the list, which may also contain other writers' messages.
//! 2. **Store.** The returned messages are inserted into `messages`, lowest `seq` first, the writer's own last. The
//!    unique indexes reject a message that is stored already or that repeats a key.
//! 3. **Settle.** One atomic update removes them from the list and moves `lastSeq`, `lastMessageId` and `updatedAt`
//!    forward, never back. Only then is the message acknowledged.
//!
//! Every writer stores the pending messages before its own (step 2). So a message can be read only when every message
//! with a lower `seq` can be read: a client that has seen 6 and asks for later messages has not missed 5.
//! `lastMessageId` names only stored messages, and the conversation shows the new message when its writer is
//! answered. A repeated key adds no message, and its `seq` stays unused.
//!
//! A writer that dies after step 1 leaves a pending message that was not acknowledged. The next append stores it. If
//! that append is the writer's retry under the same key, it returns the stored message instead of adding another one.
//!
//! Why no transaction: concurrent writers of one conversation would abort each other and retry, a transaction needs a
//! replica set, and it takes as many round trips. Why step 1 need not wait for a majority: if a failover loses it,
//! steps 2 and 3 still hold. Its `seq` may then be issued again; the index rejects the second message with this
//! `seq`, and that message gets another one.

use std::collections::HashSet;

use futures::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc, serialize_to_document};
use mongodb::options::{Acknowledgment, ReadConcern, ReturnDocument, WriteConcern};
use serde::Deserialize;
use shared::error::StoreError;
use shared::id::MessageId;
use shared::message::{Appended, Draft};
use shared::ports::StoreResult;

use crate::STORE;
use crate::client::Mongo;
use crate::failure::{duplicate_positions, store_error};
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::MessageRow;

/// How many times an append may be issued a `seq`. More than once happens only if a failover lost a step 1.
const MAX_ISSUES: usize = 3;

/// The result of step 1: the pending messages by `seq`.
#[derive(Deserialize)]
struct PendingRow {
    pending: Vec<MessageRow>,
}

/// A stored message, as step 3 needs it.
#[derive(Deserialize)]
struct StoredMessage {
    #[serde(rename = "_id")]
    id: MessageId,
    seq: i64,
    #[serde(rename = "createdAt")]
    created_at: DateTime,
}

/// The result of step 2 for the writer's own message.
enum Outcome {
    Created(MessageRow),
    /// The message that was stored under the same key before.
    Duplicate(MessageRow),
    /// Another message has the `seq`.
    SeqTaken,
}

impl Mongo {
    /// Appends a draft as described at the top of this file.
    pub(crate) async fn append_draft(&self, draft: &Draft) -> StoreResult<Appended> {
        for _ in 0..MAX_ISSUES {
            let (earlier, own) = self.issue(draft).await?;
            let seq = own.seq;
            match self.store(draft, earlier, own).await? {
                Outcome::Created(row) => {
                    self.settle(draft, seq, Some(StoredMessage::of(&row))).await?;
                    return Ok(Appended::Created(row.into()));
                }
                Outcome::Duplicate(row) => {
                    self.settle(draft, seq, self.newest(draft, seq).await?).await?;
                    return Ok(Appended::Duplicate(row.into()));
                }
                Outcome::SeqTaken => self.settle(draft, seq, self.newest(draft, seq).await?).await?,
            }
        }
        Err(StoreError::down(
            STORE,
            format!(
                "conversation {}: other messages took all {MAX_ISSUES} seqs issued to this one",
                draft.conversation_id
            ),
        ))
    }

    /// Step 1: returns the messages that are pending before the draft, and the draft with its `seq`.
    async fn issue(&self, draft: &Draft) -> StoreResult<(Vec<MessageRow>, MessageRow)> {
        let row = serialize_to_document(&MessageRow::pending(draft))
            .map_err(|e| StoreError::Corrupt(STORE, e.into()))?;
        let row_with_seq = doc! { "$mergeObjects": [{ "$literal": row }, { "seq": "$issuedSeq" }] };
        let update = vec![
            doc! { "$set": { "issuedSeq": { "$add": ["$issuedSeq", 1_i64] } } },
            doc! { "$set": { "pending": { "$concatArrays": ["$pending", [row_with_seq]] } } },
        ];
        let conversations = self.collection::<PendingRow>(CONVERSATIONS);
        let issued = conversations
            .find_one_and_update(doc! { "_id": draft.conversation_id.as_str() }, update)
            .max_time(self.max_time())
            .projection(doc! { "pending": 1 })
            .write_concern(WriteConcern::builder().w(Acknowledgment::Nodes(1)).build())
            .return_document(ReturnDocument::After)
            .await
            .map_err(store_error)?;
        let mut pending = issued.map(|issued| issued.pending).unwrap_or_default();
        match pending.pop() {
            Some(own) => Ok((pending, own)),
            None => {
                let message = format!("conversation {} does not exist", draft.conversation_id);
                Err(StoreError::Corrupt(STORE, message.into()))
            }
        }
    }

    /// Step 2: stores the earlier pending messages, then the draft.
    async fn store(&self, draft: &Draft, earlier: Vec<MessageRow>, own: MessageRow) -> StoreResult<Outcome> {
        let mut batch = self.not_stored(earlier).await?;
        batch.push(own);
        let batch: Vec<MessageRow> = batch.into_iter().map(MessageRow::into_stored).collect();
        let insert = self.collection::<MessageRow>(MESSAGES).insert_many(&batch).ordered(false).await;
        let own_position = batch.len() - 1;
        let own_rejected = match insert {
            Ok(_) => false,
            Err(error) => duplicate_positions(error)?.contains(&own_position),
        };
        match batch.into_iter().next_back() {
            Some(own) if !own_rejected => Ok(Outcome::Created(own)),
            Some(own) => self.find_by_keys(draft, own.seq).await,
            None => Ok(Outcome::SeqTaken),
        }
    }

    /// Those of `rows` that are not stored yet. It saves concurrent writers from inserting each other's messages again
    /// and again; the indexes reject a message that was stored in the meantime.
    async fn not_stored(&self, rows: Vec<MessageRow>) -> StoreResult<Vec<MessageRow>> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let messages = self.collection::<StoredMessage>(MESSAGES);
        let find = messages
            .find(doc! { "_id": { "$in": ids } })
            .max_time(self.max_time())
            .read_concern(ReadConcern::local());
        let find = find.projection(doc! { "seq": 1, "createdAt": 1 });
        let stored = async { find.await?.map_ok(|row| row.id).try_collect::<HashSet<_>>().await };
        let stored = stored.await.map_err(store_error)?;
        Ok(rows.into_iter().filter(|row| !stored.contains(&row.id)).collect())
    }

    /// The stored message with one of the draft's keys. Read with concern `local`: a majority may not have that message
    /// yet, and step 3 waits for the majority before the writer is answered.
    async fn find_by_keys(&self, draft: &Draft, seq: i64) -> StoreResult<Outcome> {
        let mut keys = vec![doc! { "_id": draft.id.as_str() }];
        if let Some(key) = &draft.client_message_id {
            keys.push(doc! { "senderId": draft.sender_id.as_str(), "clientMessageId": key });
        }
        if let Some(key) = &draft.auto_message_id {
            keys.push(doc! { "autoMessageId": key.as_str() });
        }
        let messages = self.collection::<MessageRow>(MESSAGES);
        let find = messages
            .find_one(doc! { "$or": keys })
            .max_time(self.max_time())
            .read_concern(ReadConcern::local());
        let found = find.projection(doc! { "words": 0 }).await.map_err(store_error)?;
        Ok(match found {
            // A later writer's step 2 has stored this draft already.
            Some(row) if row.id == draft.id && row.seq == seq => Outcome::Created(row),
            Some(row) => Outcome::Duplicate(row),
            None => Outcome::SeqTaken,
        })
    }

    /// The newest stored message up to `seq`.
    async fn newest(&self, draft: &Draft, seq: i64) -> StoreResult<Option<StoredMessage>> {
        let up_to = doc! { "conversationId": draft.conversation_id.as_str(), "seq": { "$lte": seq } };
        let messages = self.collection::<StoredMessage>(MESSAGES);
        let find = messages
            .find_one(up_to)
            .max_time(self.max_time())
            .sort(doc! { "seq": -1 })
            .read_concern(ReadConcern::local());
        find.projection(doc! { "seq": 1, "createdAt": 1 }).await.map_err(store_error)
    }

    /// Step 3: removes the pending messages up to `seq`, and makes `newest` the last message unless a newer one is.
    async fn settle(&self, draft: &Draft, seq: i64, newest: Option<StoredMessage>) -> StoreResult<()> {
        let still_pending =
            doc! { "$filter": { "input": "$pending", "as": "p", "cond": { "$gt": ["$$p.seq", seq] } } };
        let mut set = doc! { "pending": still_pending, "issuedSeq": { "$max": ["$issuedSeq", seq] } };
        if let Some(StoredMessage { id, seq, created_at }) = newest {
            let newer = doc! { "$lt": ["$lastSeq", seq] };
            set.insert(
                "lastMessageId",
                doc! { "$cond": [newer, { "$literal": id.as_str() }, "$lastMessageId"] },
            );
            set.insert("updatedAt", doc! { "$max": ["$updatedAt", created_at] });
            set.insert("lastSeq", doc! { "$max": ["$lastSeq", seq] });
        }
        let conversation = doc! { "_id": draft.conversation_id.as_str() };
        let conversations = self.collection::<Document>(CONVERSATIONS);
        conversations
            .update_one(conversation, vec![doc! { "$set": set }])
            .await
            .map(drop)
            .map_err(store_error)
    }
}

impl StoredMessage {
    fn of(row: &MessageRow) -> Self {
        Self { id: row.id.clone(), seq: row.seq, created_at: row.created_at }
    }
}
