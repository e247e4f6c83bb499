//! `IndexBacklog`: a message has the field `unindexed`, the time from which a sweep may index it, until the external
//! search index holds its `revision`. A partial index on this field contains only messages that wait, so the cost of
//! a sweep does not grow with the number of messages.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::id::{ConversationId, MessageId, UserId};
use shared::ports::{IndexBacklog, SearchDocument, StoreResult};
use shared::time::Time;

use crate::client::Mongo;
use crate::failure::store_error;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::{IdRow, MessageRow, date, long, number};

/// A conversation's members, who may find its messages.
#[derive(Deserialize)]
struct MembersRow {
    #[serde(rename = "_id")]
    id: ConversationId,
    members: Vec<MemberRow>,
}

#[derive(Deserialize)]
struct MemberRow {
    #[serde(rename = "userId")]
    user_id: UserId,
}

/// Messages that wait at `now`. BSON dates are whole milliseconds, so `$lt` the next millisecond includes `now`.
fn due(now: Time) -> Document {
    let next = DateTime::from_millis(now.millis().saturating_add(1));
    doc! { "unindexed": { "$exists": true, "$lt": next } }
}

#[async_trait]
impl IndexBacklog for Mongo {
    async fn waiting(&self, now: Time, limit: u32) -> StoreResult<Vec<MessageId>> {
        self.ids(due(now), doc! { "unindexed": 1 }, limit).await
    }

    async fn hide_until(&self, ids: &[MessageId], now: Time, until: Time) -> StoreResult<()> {
        let mut filter = due(now);
        filter.insert("_id", doc! { "$in": id_strs(ids) });
        let update = doc! { "$set": { "unindexed": date(until) } };
        let messages = self.collection::<Document>(MESSAGES);
        let update = messages.update_many(filter, update);
        self.with_deadline(async { update.await.map(drop).map_err(store_error) }).await
    }

    async fn documents(&self, ids: &[MessageId]) -> StoreResult<Vec<SearchDocument>> {
        self.with_deadline(async {
            let filter = doc! { "_id": { "$in": id_strs(ids) } };
            let rows: Vec<MessageRow> = self.find_all(MESSAGES, filter, doc! { "words": 0 }).await?;
            let mut conversations: Vec<&str> = rows.iter().map(|row| row.conversation_id.as_str()).collect();
            conversations.sort_unstable();
            conversations.dedup();
            let filter = doc! { "_id": { "$in": conversations } };
            let found: Vec<MembersRow> =
                self.find_all(CONVERSATIONS, filter, doc! { "members.userId": 1 }).await?;
            let members: HashMap<ConversationId, Vec<UserId>> = found
                .into_iter()
                .map(|row| (row.id, row.members.into_iter().map(|member| member.user_id).collect()))
                .collect();
            let document = |row: MessageRow| SearchDocument {
                members: members.get(&row.conversation_id).cloned().unwrap_or_default(),
                revision: number(row.revision),
                message: row.into(),
            };
            Ok(rows.into_iter().map(document).collect())
        })
        .await
    }

    /// One update per revision; nearly all messages of a batch have the same one, the first.
    async fn mark_indexed(&self, done: &[(MessageId, u64)]) -> StoreResult<()> {
        let mut by_revision: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (id, revision) in done {
            by_revision.entry(*revision).or_default().push(id.as_str());
        }
        let messages = self.collection::<Document>(MESSAGES);
        self.with_deadline(async {
            for (revision, ids) in by_revision {
                let unchanged = doc! { "_id": { "$in": ids }, "revision": long(revision) };
                let mark = messages.update_many(unchanged, doc! { "$unset": { "unindexed": "" } });
                mark.await.map_err(store_error)?;
            }
            Ok(())
        })
        .await
    }

    async fn all(&self, after: Option<&MessageId>, limit: u32) -> StoreResult<Vec<MessageId>> {
        let after = after.map_or("", |id| id.as_str());
        self.ids(doc! { "_id": { "$gt": after } }, doc! { "_id": 1 }, limit).await
    }

    async fn total(&self) -> StoreResult<u64> {
        let messages = self.collection::<Document>(MESSAGES);
        let count = messages.estimated_document_count();
        self.with_deadline(async { count.await.map_err(store_error) }).await
    }
}

impl Mongo {
    async fn ids(&self, filter: Document, sort: Document, limit: u32) -> StoreResult<Vec<MessageId>> {
        if limit == 0 {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let rows = self.collection::<IdRow<MessageId>>(MESSAGES);
        let find = rows
            .find(filter)
            .max_time(self.max_time())
            .projection(doc! { "_id": 1 })
            .sort(sort)
            .limit(limit.into());
        let ids = async { find.await?.map_ok(|row| row.id).try_collect().await };
        self.with_deadline(async { ids.await.map_err(store_error) }).await
    }

    async fn find_all<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        collection: &str,
        filter: Document,
        projection: Document,
    ) -> StoreResult<Vec<T>> {
        let rows = self.collection::<T>(collection);
        let find = rows.find(filter).max_time(self.max_time()).projection(projection);
        let found = async { find.await?.try_collect().await };
        found.await.map_err(store_error)
    }
}

fn id_strs(ids: &[MessageId]) -> Vec<&str> {
    ids.iter().map(MessageId::as_str).collect()
}
