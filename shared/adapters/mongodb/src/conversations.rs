//! `Conversations`: one per pair whoever races, lists in one round trip, and read marks that only move forward.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;
use shared::conversation::{ActivityCursor, Conversation, MemberConversation};
use shared::id::{ConversationId, UserId};
use shared::ports::{Conversations, Messages, StoreResult};

use crate::STORE;
use crate::client::Mongo;
use crate::failure::{duplicate, failed, taken};
use crate::indexes::CONVERSATIONS;
use crate::rows::{ConversationRow, date, long};
use shared::error::StoreError;

#[async_trait]
impl Conversations for Mongo {
    async fn ensure_direct(&self, new: &Conversation) -> StoreResult<(Conversation, bool)> {
        self.bounded(self.ensure_pair(new)).await
    }

    async fn insert_group(&self, new: &Conversation) -> StoreResult<()> {
        let conversations = self.of::<ConversationRow>(CONVERSATIONS);
        self.bounded(async {
            self.ready(CONVERSATIONS).await?;
            conversations.insert_one(ConversationRow::from(new)).await.map(drop).map_err(|e| taken(e, &[]))
        })
        .await
    }

    async fn for_member(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> StoreResult<Option<MemberConversation>> {
        let own = doc! { "_id": id.as_str(), "members.userId": member.as_str() };
        Ok(self.listed(vec![doc! { "$match": own }], Some(member)).await?.pop())
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
        self.listed(select, Some(member)).await
    }

    async fn mark_read(&self, id: &ConversationId, member: &UserId, up_to: u64) -> StoreResult<Option<u64>> {
        let conversations = self.of::<ConversationRow>(CONVERSATIONS);
        let own = doc! { "_id": id.as_str(), "members.userId": member.as_str() };
        let update = conversations
            .find_one_and_update(own, vec![doc! { "$set": { "members": read_up_to(member, long(up_to)) } }])
            .projection(doc! { "pending": 0 })
            .return_document(ReturnDocument::After);
        let row = self.bounded(async { update.await.map_err(failed) }).await?;
        Ok(row.and_then(|row| row.read_by(member)))
    }

    async fn unread(&self, member: &UserId) -> StoreResult<Vec<(ConversationId, u64)>> {
        self.unread_by(member).await
    }
}

impl Mongo {
    async fn ensure_pair(&self, new: &Conversation) -> StoreResult<(Conversation, bool)> {
        let Some(pair) = new.pair_key() else {
            return Err(StoreError::Corrupt(STORE, "a direct conversation has exactly two members".into()));
        };
        // Nearly always it is there, and a read is cheaper than a write that changes nothing.
        let there = self.listed(vec![doc! { "$match": { "pairKey": &pair } }], None).await?.pop();
        if let Some(MemberConversation { conversation, .. }) = there {
            return Ok((conversation, false));
        }
        self.ready(CONVERSATIONS).await?;
        let row = self.upsert_pair(&pair, new).await?;
        if row.id == new.id {
            return Ok((new.clone(), true));
        }
        let last = Messages::by_ids(self, row.last_message_id.as_slice()).await?.pop();
        Ok((row.with(last), false))
    }

    /// The pair's one document, made from `new` if there is none. Being a write, it answers only when a
    /// majority has the document, whoever made it.
    async fn upsert_pair(&self, pair: &str, new: &Conversation) -> StoreResult<ConversationRow> {
        let conversations = self.of::<ConversationRow>(CONVERSATIONS);
        let mut row = mongodb::bson::serialize_to_document(&ConversationRow::from(new))
            .map_err(|e| StoreError::Corrupt(STORE, e.into()))?;
        row.remove("pairKey"); // The filter puts it there.
        loop {
            let upsert = conversations
                .find_one_and_update(doc! { "pairKey": pair }, doc! { "$setOnInsert": row.clone() })
                .projection(doc! { "pending": 0 })
                .upsert(true)
                .return_document(ReturnDocument::After);
            match upsert.await {
                Ok(Some(row)) => return Ok(row),
                Ok(None) => {}
                // Two upserts raced, and this one lost: the next round meets the winner's document. A clash
                // with another conversation's id would repeat for ever.
                Err(error) if duplicate(&error).is_some_and(|index| index.contains("pair")) => {}
                Err(error) => return Err(taken(error, &[])),
            }
        }
    }
}

/// The member's conversations after the cursor. The bound on `updatedAt` alone is what the index follows.
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

/// The members with one read mark moved forward. A number that was never given out means "everything", and
/// that ends at what can be read (`lastSeq`): a message on its way must not arrive already read.
fn read_up_to(member: &UserId, up_to: i64) -> Document {
    let capped = doc! { "$cond": [{ "$lte": [up_to, "$issuedSeq"] }, up_to, "$lastSeq"] };
    let moved = doc! { "$mergeObjects": ["$$m", { "readSeq": { "$max": ["$$m.readSeq", capped] } }] };
    let own = doc! { "$eq": ["$$m.userId", { "$literal": member.as_str() }] };
    doc! { "$map": { "input": "$members", "as": "m", "in": { "$cond": [own, moved, "$$m"] } } }
}
