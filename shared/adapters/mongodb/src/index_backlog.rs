//! `IndexBacklog`: a message carries `unindexed`, the time from which a sweep may take it, until the index beside
//! us holds its `revision`. A partial index on that field is the list of what waits, so that a sweep costs what
//! it finds and not what there is.

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
use crate::failure::failed;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::{MessageRow, date, long, number};

#[derive(Deserialize)]
struct IdRow {
    #[serde(rename = "_id")]
    id: MessageId,
}

/// Who may find what is said in a conversation.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "_id")]
    id: ConversationId,
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(rename = "userId")]
    user_id: UserId,
}

/// What waits at `now`. BSON dates are whole milliseconds: up to this one is before the next one.
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
        let mut those = due(now);
        those.insert("_id", doc! { "$in": texts(ids) });
        let update = doc! { "$set": { "unindexed": date(until) } };
        let messages = self.of::<Document>(MESSAGES);
        let update = messages.update_many(those, update);
        self.bounded(async { update.await.map(drop).map_err(failed) }).await
    }

    async fn documents(&self, ids: &[MessageId]) -> StoreResult<Vec<SearchDocument>> {
        self.bounded(async {
            let those = doc! { "_id": { "$in": texts(ids) } };
            let rows: Vec<MessageRow> = self.found(MESSAGES, those, doc! { "words": 0 }).await?;
            let mut places: Vec<&str> = rows.iter().map(|row| row.conversation_id.as_str()).collect();
            places.sort_unstable();
            places.dedup();
            let those = doc! { "_id": { "$in": places } };
            let found: Vec<Members> = self.found(CONVERSATIONS, those, doc! { "members.userId": 1 }).await?;
            let members: HashMap<ConversationId, Vec<UserId>> = found
                .into_iter()
                .map(|row| (row.id, row.members.into_iter().map(|member| member.user_id).collect()))
                .collect();
            let row = |row: MessageRow| SearchDocument {
                members: members.get(&row.conversation_id).cloned().unwrap_or_default(),
                revision: number(row.revision),
                message: row.into(),
            };
            Ok(rows.into_iter().map(row).collect())
        })
        .await
    }

    /// Each is marked only at its own revision; most of a batch are at their first.
    async fn mark_indexed(&self, done: &[(MessageId, u64)]) -> StoreResult<()> {
        let mut by_revision: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (id, revision) in done {
            by_revision.entry(*revision).or_default().push(id.as_str());
        }
        let messages = self.of::<Document>(MESSAGES);
        self.bounded(async {
            for (revision, ids) in by_revision {
                let still = doc! { "_id": { "$in": ids }, "revision": long(revision) };
                let mark = messages.update_many(still, doc! { "$unset": { "unindexed": "" } });
                mark.await.map_err(failed)?;
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
        let messages = self.of::<Document>(MESSAGES);
        let count = messages.estimated_document_count();
        self.bounded(async { count.await.map_err(failed) }).await
    }
}

impl Mongo {
    async fn ids(&self, filter: Document, sort: Document, limit: u32) -> StoreResult<Vec<MessageId>> {
        if limit == 0 {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let rows = self.of::<IdRow>(MESSAGES);
        let find = rows.find(filter).projection(doc! { "_id": 1 }).sort(sort).limit(limit.into());
        let ids = async { find.await?.map_ok(|row| row.id).try_collect().await };
        self.bounded(async { ids.await.map_err(failed) }).await
    }

    async fn found<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        collection: &str,
        filter: Document,
        projection: Document,
    ) -> StoreResult<Vec<T>> {
        let rows = self.of::<T>(collection);
        let find = rows.find(filter).projection(projection);
        let found = async { find.await?.try_collect().await };
        found.await.map_err(failed)
    }
}

fn texts(ids: &[MessageId]) -> Vec<&str> {
    ids.iter().map(MessageId::as_str).collect()
}
