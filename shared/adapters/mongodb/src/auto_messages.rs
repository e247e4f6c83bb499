//! `AutoMessages`: at most one row per user and day, claimed under a lease by one queuer at a time.

use std::collections::HashSet;

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
use crate::failure::{duplicate_positions, store_error};
use crate::indexes::AUTO_MESSAGES;
use crate::rows::{AutoMessageRow, IdRow, date};

/// How often one claim looks for rows; it looks again when other queuers have claimed some that it found.
const MAX_ROUNDS: usize = 8;
/// How many rows one claim takes at most, also when the caller's limit is higher.
const MAX_CLAIM: u32 = 10_000;

/// The sender and the receiver of a planned row.
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
        let planned = self.collection::<AutoMessageRow>(AUTO_MESSAGES);
        let insert = planned.insert_many(rows.iter().map(AutoMessageRow::from)).ordered(false);
        let rejected = self
            .with_deadline(async {
                self.ensure_indexes(AUTO_MESSAGES).await?;
                match insert.await {
                    Ok(_) => Ok(0),
                    Err(error) => duplicate_positions(error).map(|positions| positions.len()),
                }
            })
            .await?;
        Ok(rows.len().saturating_sub(rejected) as u64)
    }

    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let ids: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let rows = self.collection::<PartsRow>(AUTO_MESSAGES);
        let find = rows.find(doc! { "plannedFor": day, "parts": { "$in": ids } }).max_time(self.max_time());
        let find = find.projection(doc! { "_id": 0, "parts": 1 });
        let planned = async { find.await?.try_collect::<Vec<PartsRow>>().await };
        let planned = self.with_deadline(async { planned.await.map_err(store_error) }).await?;
        let planned: HashSet<UserId> = planned.into_iter().flat_map(|row| row.parts).collect();
        Ok(users.iter().filter(|user| planned.contains(user)).cloned().collect())
    }

    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>> {
        let limit = limit.min(MAX_CLAIM) as usize;
        let token = ObjectId::new();
        self.with_deadline(async {
            let mut claimed = Vec::new();
            for _ in 0..MAX_ROUNDS {
                let candidates =
                    self.claimable_ids(date(now), limit - claimed.len()).await.map_err(store_error)?;
                if candidates.is_empty() {
                    break;
                }
                claimed.extend(
                    self.lease(&candidates, token, date(now), date(lease_until))
                        .await
                        .map_err(store_error)?,
                );
            }
            Ok(claimed)
        })
        .await
    }

    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()> {
        self.mark(ids, doc! { "isQueued": true }).await
    }

    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>> {
        let rows = self.collection::<AutoMessageRow>(AUTO_MESSAGES);
        let find = rows.find_one(doc! { "_id": id.as_str() }).max_time(self.max_time());
        let row = self.with_deadline(async { find.await.map_err(store_error) }).await?;
        Ok(row.map(AutoMessage::from))
    }

    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()> {
        self.mark(std::slice::from_ref(id), doc! { "isSent": true }).await
    }

    async fn backlog(&self, now: Time) -> StoreResult<u64> {
        let rows = self.collection::<Document>(AUTO_MESSAGES);
        let count = rows.count_documents(due(date(now))).max_time(self.max_time());
        self.with_deadline(async { count.await.map_err(store_error) }).await
    }
}

/// Rows that are due and not queued. BSON dates are whole milliseconds, so `$lt` the next millisecond includes `now`.
/// An exclusive bound gives the same result on every server, also with ties in a longer index key.
fn due(now: DateTime) -> Document {
    let next = DateTime::from_millis(now.timestamp_millis().saturating_add(1));
    doc! { "isQueued": false, "sendDate": { "$lt": next } }
}

/// Rows that are due, not queued and not leased.
fn claimable(now: DateTime) -> Document {
    let mut filter = due(now);
    filter.insert("leaseUntil", doc! { "$lte": now });
    filter
}

impl Mongo {
    /// Ids of the oldest claimable rows; another queuer may claim them in the meantime.
    async fn claimable_ids(&self, now: DateTime, limit: usize) -> mongodb::error::Result<Vec<String>> {
        if limit == 0 {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let rows = self.collection::<IdRow<AutoMessageId>>(AUTO_MESSAGES);
        let find = rows
            .find(claimable(now))
            .max_time(self.max_time())
            .projection(doc! { "_id": 1 })
            .sort(doc! { "sendDate": 1, "_id": 1 });
        let find = find.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        find.await?.map_ok(|row| row.id.as_str().to_owned()).try_collect().await
    }

    /// Leases those of `candidates` that are still claimable. The server checks the filter again as it updates each
    /// row, so a row gets the token of one claim, however many queuers found it. Rows with this token are ours.
    async fn lease(
        &self,
        candidates: &[String],
        token: ObjectId,
        now: DateTime,
        lease_until: DateTime,
    ) -> mongodb::error::Result<Vec<AutoMessage>> {
        let rows = self.collection::<AutoMessageRow>(AUTO_MESSAGES);
        let mut filter = claimable(now);
        filter.insert("_id", doc! { "$in": candidates });
        let lease =
            doc! { "$set": { "leaseUntil": lease_until, "claim": token }, "$inc": { "attempts": 1_i64 } };
        rows.update_many(filter, lease).await?;
        let ours = rows.find(doc! { "_id": { "$in": candidates }, "claim": token }).max_time(self.max_time());
        ours.sort(doc! { "sendDate": 1, "_id": 1 }).await?.map_ok(AutoMessage::from).try_collect().await
    }

    async fn mark(&self, ids: &[AutoMessageId], set: Document) -> StoreResult<()> {
        let ids: Vec<&str> = ids.iter().map(AutoMessageId::as_str).collect();
        let rows = self.collection::<Document>(AUTO_MESSAGES);
        let update = rows.update_many(doc! { "_id": { "$in": ids } }, doc! { "$set": set });
        self.with_deadline(async { update.await.map(drop).map_err(store_error) }).await
    }
}
