//! How a message gets its place. Three writes, no transaction:
//!
//! 1. **issue**: one atomic update of the conversation gives out the next `seq` and puts the message into the
//!    conversation's own `pending` list, which comes back with everything that others have there.
//! 2. **store**: the pending messages, oldest first and its own last, go into `messages`. What is there
//!    already, or repeats a key, is refused by the unique indexes.
//! 3. **settle**: one atomic update takes them off the list and moves `lastSeq`, `lastMessageId` and
//!    `updatedAt` forward, never back. Only then is the message acknowledged.
//!
//! Because whoever comes later first stores what came before (step 2), a message can be read only when all
//! with a lower `seq` can be read: who has seen 6 and asks for what follows has not missed 5. `lastMessageId`
//! names only what is stored, and is there when the writer is answered. A repeated key settles without
//! moving anything; it costs a gap. Whoever dies after step 1 leaves a message that was not acknowledged and
//! that the next append stores; his own retry under the same key meets it instead of doubling it.
//!
//! Why not a transaction: writers of one conversation would abort each other and retry, it needs a replica
//! set, and it takes as many round trips. Why step 1 need not wait for a majority: if a failover loses it,
//! steps 2 and 3 still hold, and a `seq` that is then given out twice is refused by the index and drawn anew.

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
use crate::failure::{failed, refused};
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::MessageRow;

/// How often a place is drawn anew. More than one needs a failover at the worst moment.
const DRAWS: usize = 3;

/// What step 1 answers with: pending messages, by `seq`.
#[derive(Deserialize)]
struct Issued {
    pending: Vec<MessageRow>,
}

/// The newest stored message, for step 3.
#[derive(Deserialize)]
struct Newest {
    #[serde(rename = "_id")]
    id: MessageId,
    seq: i64,
    #[serde(rename = "createdAt")]
    created_at: DateTime,
}

/// What became of one draw.
enum Outcome {
    Fresh(MessageRow),
    Repeat(MessageRow),
    /// The place was taken by somebody else.
    Lost,
}

impl Mongo {
    /// Appends a draft; see the head of this file.
    pub(crate) async fn append_draft(&self, draft: &Draft) -> StoreResult<Appended> {
        for _ in 0..DRAWS {
            let (before, own) = self.issue(draft).await?;
            let seq = own.seq;
            match self.store(draft, before, own).await? {
                Outcome::Fresh(row) => {
                    self.settle(draft, seq, Some(Newest::of(&row))).await?;
                    return Ok(Appended::Created(row.into()));
                }
                Outcome::Repeat(row) => {
                    self.settle(draft, seq, self.newest(draft, seq).await?).await?;
                    return Ok(Appended::Duplicate(row.into()));
                }
                Outcome::Lost => self.settle(draft, seq, self.newest(draft, seq).await?).await?,
            }
        }
        Err(StoreError::down(STORE, "another writer took the message's place again and again"))
    }

    /// Step 1: what was pending before the draft, and the draft with its place.
    async fn issue(&self, draft: &Draft) -> StoreResult<(Vec<MessageRow>, MessageRow)> {
        let row = serialize_to_document(&MessageRow::waiting(draft))
            .map_err(|e| StoreError::Corrupt(STORE, e.into()))?;
        let placed = doc! { "$mergeObjects": [{ "$literal": row }, { "seq": "$issuedSeq" }] };
        let update = vec![
            doc! { "$set": { "issuedSeq": { "$add": ["$issuedSeq", 1_i64] } } },
            doc! { "$set": { "pending": { "$concatArrays": ["$pending", [placed]] } } },
        ];
        let conversations = self.of::<Issued>(CONVERSATIONS);
        let issued = conversations
            .find_one_and_update(doc! { "_id": draft.conversation_id.as_str() }, update)
            .projection(doc! { "pending": 1 })
            .write_concern(WriteConcern::builder().w(Acknowledgment::Nodes(1)).build())
            .return_document(ReturnDocument::After)
            .await
            .map_err(failed)?;
        let mut pending = issued.map(|issued| issued.pending).unwrap_or_default();
        match pending.pop() {
            Some(own) => Ok((pending, own)),
            None => {
                Err(StoreError::Corrupt(STORE, "a message for a conversation that does not exist".into()))
            }
        }
    }

    /// Step 2: stores those before the draft, then the draft.
    async fn store(&self, draft: &Draft, before: Vec<MessageRow>, own: MessageRow) -> StoreResult<Outcome> {
        let mut batch = self.missing(before).await?;
        batch.push(own);
        let batch: Vec<MessageRow> = batch.into_iter().map(MessageRow::placed).collect();
        let insert = self.of::<MessageRow>(MESSAGES).insert_many(&batch).ordered(false).await;
        let place = batch.len() - 1;
        let is_refused = match insert {
            Ok(_) => false,
            Err(error) => refused(error)?.contains(&place),
        };
        match batch.into_iter().next_back() {
            Some(own) if !is_refused => Ok(Outcome::Fresh(own)),
            Some(own) => self.first(draft, own.seq).await,
            None => Ok(Outcome::Lost),
        }
    }

    /// Those of `rows` that are not stored, so that a crowd does not store each other's messages many times
    /// over. Whatever slips through is refused by the indexes.
    async fn missing(&self, rows: Vec<MessageRow>) -> StoreResult<Vec<MessageRow>> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let messages = self.of::<Newest>(MESSAGES);
        let find = messages.find(doc! { "_id": { "$in": ids } }).read_concern(ReadConcern::local());
        let find = find.projection(doc! { "seq": 1, "createdAt": 1 });
        let stored = async { find.await?.map_ok(|row| row.id).try_collect::<HashSet<_>>().await };
        let stored = stored.await.map_err(failed)?;
        Ok(rows.into_iter().filter(|row| !stored.contains(&row.id)).collect())
    }

    /// The message that the draft ran into. Read where it was refused (`local`): the majority may be a
    /// moment behind, and step 3 waits for it before anybody is answered.
    async fn first(&self, draft: &Draft, seq: i64) -> StoreResult<Outcome> {
        let mut keys = vec![doc! { "_id": draft.id.as_str() }];
        if let Some(key) = &draft.client_message_id {
            keys.push(doc! { "senderId": draft.sender_id.as_str(), "clientMessageId": key });
        }
        if let Some(key) = &draft.auto_message_id {
            keys.push(doc! { "autoMessageId": key.as_str() });
        }
        let messages = self.of::<MessageRow>(MESSAGES);
        let find = messages.find_one(doc! { "$or": keys }).read_concern(ReadConcern::local());
        let found = find.projection(doc! { "words": 0 }).await.map_err(failed)?;
        Ok(match found {
            // Somebody who came later stored it on our behalf.
            Some(row) if row.id == draft.id && row.seq == seq => Outcome::Fresh(row),
            Some(row) => Outcome::Repeat(row),
            None => Outcome::Lost,
        })
    }

    /// The newest message up to a place.
    async fn newest(&self, draft: &Draft, seq: i64) -> StoreResult<Option<Newest>> {
        let up_to = doc! { "conversationId": draft.conversation_id.as_str(), "seq": { "$lte": seq } };
        let messages = self.of::<Newest>(MESSAGES);
        let find = messages.find_one(up_to).sort(doc! { "seq": -1 }).read_concern(ReadConcern::local());
        find.projection(doc! { "seq": 1, "createdAt": 1 }).await.map_err(failed)
    }

    /// Step 3: up to `seq` nothing is pending any more, and `newest` is the last message unless a newer is.
    async fn settle(&self, draft: &Draft, seq: i64, newest: Option<Newest>) -> StoreResult<()> {
        let waits =
            doc! { "$filter": { "input": "$pending", "as": "p", "cond": { "$gt": ["$$p.seq", seq] } } };
        let mut set = doc! { "pending": waits, "issuedSeq": { "$max": ["$issuedSeq", seq] } };
        if let Some(Newest { id, seq, created_at }) = newest {
            let newer = doc! { "$lt": ["$lastSeq", seq] };
            set.insert(
                "lastMessageId",
                doc! { "$cond": [newer, { "$literal": id.as_str() }, "$lastMessageId"] },
            );
            set.insert("updatedAt", doc! { "$max": ["$updatedAt", created_at] });
            set.insert("lastSeq", doc! { "$max": ["$lastSeq", seq] });
        }
        let conversation = doc! { "_id": draft.conversation_id.as_str() };
        let conversations = self.of::<Document>(CONVERSATIONS);
        conversations.update_one(conversation, vec![doc! { "$set": set }]).await.map(drop).map_err(failed)
    }
}

impl Newest {
    fn of(row: &MessageRow) -> Self {
        Self { id: row.id.clone(), seq: row.seq, created_at: row.created_at }
    }
}
