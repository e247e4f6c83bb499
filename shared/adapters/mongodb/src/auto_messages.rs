//! `AutoMessages`: one part per day and person, claimed under a lease by one queuer at a time.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use serde::Deserialize;
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages, StoreResult};
use shared::time::Time;

use crate::client::Mongo;
use crate::failure::{failed, refused};
use crate::indexes::AUTO_MESSAGES;
use crate::rows::{AutoMessageRow, date};

/// How often a claim looks again when others took what it had seen.
const ROUNDS: usize = 8;
/// How many rows one claim takes at most, whatever it is asked for.
const LARGEST_CLAIM: u32 = 10_000;

#[derive(Deserialize)]
struct IdRow {
    #[serde(rename = "_id")]
    id: AutoMessageId,
}

/// Who takes part in a planned row.
#[derive(Deserialize)]
struct PartsRow {
    parts: [UserId; 2],
}

#[async_trait]
impl AutoMessages for Mongo {
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let planned = self.of::<AutoMessageRow>(AUTO_MESSAGES);
        let insert = planned.insert_many(rows.iter().map(AutoMessageRow::from)).ordered(false);
        let there = self
            .bounded(async {
                self.ready(AUTO_MESSAGES).await?;
                match insert.await {
                    Ok(_) => Ok(0),
                    Err(error) => refused(error).map(|places| places.len()),
                }
            })
            .await?;
        Ok(rows.len().saturating_sub(there) as u64)
    }

    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let ids: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let rows = self.of::<PartsRow>(AUTO_MESSAGES);
        let find = rows.find(doc! { "plannedFor": day, "parts": { "$in": ids } });
        let find = find.projection(doc! { "_id": 0, "parts": 1 });
        let parts = async { find.await?.try_collect::<Vec<PartsRow>>().await };
        let parts = self.bounded(async { parts.await.map_err(failed) }).await?;
        let taking_part: std::collections::HashSet<UserId> =
            parts.into_iter().flat_map(|row| row.parts).collect();
        Ok(users.iter().filter(|user| taking_part.contains(user)).cloned().collect())
    }

    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>> {
        let limit = limit.min(LARGEST_CLAIM) as usize;
        let token = ObjectId::new();
        self.bounded(async {
            let mut claimed = Vec::new();
            for _ in 0..ROUNDS {
                let seen = self.claimable(date(now), limit - claimed.len()).await.map_err(failed)?;
                if seen.is_empty() {
                    break;
                }
                claimed.extend(self.take(&seen, token, date(now), date(lease_until)).await.map_err(failed)?);
            }
            Ok(claimed)
        })
        .await
    }

    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()> {
        self.mark(ids, doc! { "isQueued": true }).await
    }

    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>> {
        let rows = self.of::<AutoMessageRow>(AUTO_MESSAGES);
        let find = rows.find_one(doc! { "_id": id.as_str() });
        let row = self.bounded(async { find.await.map_err(failed) }).await?;
        Ok(row.map(AutoMessage::from))
    }

    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()> {
        self.mark(std::slice::from_ref(id), doc! { "isSent": true }).await
    }

    async fn backlog(&self, now: Time) -> StoreResult<u64> {
        let rows = self.of::<Document>(AUTO_MESSAGES);
        let count = rows.count_documents(due(date(now)));
        self.bounded(async { count.await.map_err(failed) }).await
    }
}

/// Due and not queued. BSON dates are whole milliseconds, so "before the next one" is "up to this one", and
/// an open bound leaves no server in doubt about ties in a longer index key.
fn due(now: DateTime) -> Document {
    let next = DateTime::from_millis(now.timestamp_millis().saturating_add(1));
    doc! { "isQueued": false, "sendDate": { "$lt": next } }
}

/// Due, not queued, and under nobody's lease.
fn free(now: DateTime) -> Document {
    let mut filter = due(now);
    filter.insert("leaseUntil", doc! { "$lte": now });
    filter
}

impl Mongo {
    /// Ids of the oldest rows that look free.
    async fn claimable(&self, now: DateTime, limit: usize) -> mongodb::error::Result<Vec<String>> {
        if limit == 0 {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let rows = self.of::<IdRow>(AUTO_MESSAGES);
        let find = rows.find(free(now)).projection(doc! { "_id": 1 }).sort(doc! { "sendDate": 1, "_id": 1 });
        let find = find.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        find.await?.map_ok(|row| row.id.as_str().to_owned()).try_collect().await
    }

    /// Leases those of `seen` that are still free: the filter is checked again, row by row, as each is
    /// written, so a row bears one token however many queuers saw it. What bears ours is ours.
    async fn take(
        &self,
        seen: &[String],
        token: ObjectId,
        now: DateTime,
        lease_until: DateTime,
    ) -> mongodb::error::Result<Vec<AutoMessage>> {
        let rows = self.of::<AutoMessageRow>(AUTO_MESSAGES);
        let mut filter = free(now);
        filter.insert("_id", doc! { "$in": seen });
        let lease =
            doc! { "$set": { "leaseUntil": lease_until, "claim": token }, "$inc": { "attempts": 1_i64 } };
        rows.update_many(filter, lease).await?;
        let ours = rows.find(doc! { "_id": { "$in": seen }, "claim": token });
        ours.sort(doc! { "sendDate": 1, "_id": 1 }).await?.map_ok(AutoMessage::from).try_collect().await
    }

    async fn mark(&self, ids: &[AutoMessageId], set: Document) -> StoreResult<()> {
        let ids: Vec<&str> = ids.iter().map(AutoMessageId::as_str).collect();
        let rows = self.of::<Document>(AUTO_MESSAGES);
        let update = rows.update_many(doc! { "_id": { "$in": ids } }, doc! { "$set": set });
        self.bounded(async { update.await.map(drop).map_err(failed) }).await
    }
}
