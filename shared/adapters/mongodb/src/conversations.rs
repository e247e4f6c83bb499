//! `Conversations`: one per pair even in a race, lists in one round trip, read positions that only move forward.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;
use shared::conversation::{ActivityCursor, Conversation, MemberConversation};
use shared::id::{ConversationId, UserId};
use shared::ports::{Conversations, Messages, StoreResult};

use crate::STORE;
use crate::client::Mongo;
use crate::failure::{duplicate_key_message, store_error, taken_error};
use crate::indexes::CONVERSATIONS;
use crate::rows::{ConversationRow, date, long};
use shared::error::StoreError;

/// A result row of the contacts pipeline.
#[derive(serde::Deserialize)]
struct ContactRow {
    #[serde(rename = "_id")]
    id: UserId,
}

#[async_trait]
impl Conversations for Mongo {
    async fn ensure_direct(&self, new: &Conversation) -> StoreResult<(Conversation, bool)> {
        self.with_deadline(self.ensure_pair(new)).await
    }

    async fn insert_group(&self, new: &Conversation) -> StoreResult<()> {
        let conversations = self.collection::<ConversationRow>(CONVERSATIONS);
        self.with_deadline(async {
            self.ensure_indexes(CONVERSATIONS).await?;
            conversations
                .insert_one(ConversationRow::from(new))
                .await
                .map(drop)
                .map_err(|e| taken_error(e, &[]))
        })
        .await
    }

    async fn for_member(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> StoreResult<Option<MemberConversation>> {
        let own = doc! { "_id": id.as_str(), "members.userId": member.as_str() };
        Ok(self.list_conversations(vec![doc! { "$match": own }], Some(member)).await?.pop())
    }

    async fn list(
        &self,
        member: &UserId,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> StoreResult<Vec<MemberConversation>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let select = vec![
            doc! { "$match": activity_after(member, after) },
            doc! { "$sort": { "updatedAt": -1, "_id": -1 } },
            doc! { "$limit": i64::from(limit) },
        ];
        self.list_conversations(select, Some(member)).await
    }

    async fn mark_read(&self, id: &ConversationId, member: &UserId, up_to: u64) -> StoreResult<Option<u64>> {
        let conversations = self.collection::<ConversationRow>(CONVERSATIONS);
        let own = doc! { "_id": id.as_str(), "members.userId": member.as_str() };
        let update = conversations
            .find_one_and_update(
                own,
                vec![doc! { "$set": { "members": members_read_up_to(member, long(up_to)) } }],
            )
            .max_time(self.max_time())
            .projection(doc! { "pending": 0 })
            .return_document(ReturnDocument::After);
        let row = self.with_deadline(async { update.await.map_err(store_error) }).await?;
        Ok(row.and_then(|row| row.read_seq_of(member)))
    }

    async fn contacts(
        &self,
        member: &UserId,
        after: Option<&UserId>,
        limit: u32,
    ) -> StoreResult<Vec<UserId>> {
        let mut others = doc! { "$ne": member.as_str() };
        if let Some(after) = after {
            others.insert("$gt", after.as_str());
        }
        // Not `distinct`, which has no order and no limit.
        let pipeline = [
            doc! { "$match": { "members.userId": member.as_str() } },
            doc! { "$project": { "members.userId": 1 } },
            doc! { "$unwind": "$members" },
            doc! { "$match": { "members.userId": others } },
            doc! { "$group": { "_id": "$members.userId" } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": i64::from(limit) },
        ];
        let conversations = self.collection::<Document>(CONVERSATIONS);
        let aggregate = conversations.aggregate(pipeline).max_time(self.max_time()).with_type::<ContactRow>();
        let rows = async { aggregate.await?.map_ok(|row| row.id).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }

    async fn unread(&self, member: &UserId) -> StoreResult<Vec<(ConversationId, u64)>> {
        self.unread_counts(member).await
    }
}

impl Mongo {
    async fn ensure_pair(&self, new: &Conversation) -> StoreResult<(Conversation, bool)> {
        let Some(pair) = new.pair_key() else {
            return Err(StoreError::Corrupt(STORE, "a direct conversation has exactly two members".into()));
        };
        // The conversation almost always exists, and a read is cheaper than a write that changes nothing.
        let existing =
            self.list_conversations(vec![doc! { "$match": { "pairKey": &pair } }], None).await?.pop();
        if let Some(MemberConversation { conversation, .. }) = existing {
            return Ok((conversation, false));
        }
        self.ensure_indexes(CONVERSATIONS).await?;
        let row = self.upsert_pair(&pair, new).await?;
        if row.id == new.id {
            return Ok((new.clone(), true));
        }
        let last = Messages::by_ids(self, row.last_message_id.as_slice()).await?.pop();
        Ok((row.into_conversation(last), false))
    }

    /// The pair's one document, created from `new` if there is none. Because this is a write, it returns only after a
    /// majority has the document, also when another writer created it.
    async fn upsert_pair(&self, pair: &str, new: &Conversation) -> StoreResult<ConversationRow> {
        let conversations = self.collection::<ConversationRow>(CONVERSATIONS);
        let mut row = mongodb::bson::serialize_to_document(&ConversationRow::from(new))
            .map_err(|e| StoreError::Corrupt(STORE, e.into()))?;
        row.remove("pairKey"); // The upsert takes it from the filter.
        loop {
            let upsert = conversations
                .find_one_and_update(doc! { "pairKey": pair }, doc! { "$setOnInsert": row.clone() })
                .max_time(self.max_time())
                .projection(doc! { "pending": 0 })
                .upsert(true)
                .return_document(ReturnDocument::After);
            match upsert.await {
                Ok(Some(row)) => return Ok(row),
                Ok(None) => {}
                // Two upserts raced and this one lost; the next round finds the other one's document. Only the index
                // `pair` is retried: a taken conversation id would fail again and again.
                Err(error)
                    if duplicate_key_message(&error).is_some_and(|message| message.contains("pair")) => {}
                Err(error) => return Err(taken_error(error, &[])),
            }
        }
    }
}

/// The member's conversations after the cursor. The separate bound on `updatedAt` lets the index start at the cursor;
/// it cannot use the `$or`.
fn activity_after(member: &UserId, after: Option<&ActivityCursor>) -> Document {
    let mut filter = doc! { "members.userId": member.as_str() };
    if let Some(ActivityCursor { updated_at, id }) = after {
        let at = date(*updated_at);
        filter.insert("updatedAt", doc! { "$lte": at });
        filter
            .insert("$or", vec![doc! { "updatedAt": { "$lt": at } }, doc! { "_id": { "$lt": id.as_str() } }]);
    }
    filter
}

/// The members, with the read position of one moved forward. An `up_to` above `issuedSeq` means
/// "everything" and is replaced by `lastSeq`, the last readable message: a pending message must not arrive as read.
fn members_read_up_to(member: &UserId, up_to: i64) -> Document {
    let capped = doc! { "$cond": [{ "$lte": [up_to, "$issuedSeq"] }, up_to, "$lastSeq"] };
    let moved = doc! { "$mergeObjects": ["$$m", { "readSeq": { "$max": ["$$m.readSeq", capped] } }] };
    let own = doc! { "$eq": ["$$m.userId", { "$literal": member.as_str() }] };
    doc! { "$map": { "input": "$members", "as": "m", "in": { "$cond": [own, moved, "$$m"] } } }
}
