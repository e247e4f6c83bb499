//! The queue's consumer side, for whoever plays the broker's event source.

use rusqlite::{Connection, params};
use shared::ports::{OutboxMessage, StoreResult};
use shared::time::Time;

use super::{DEAD, RETRY};
use crate::Embedded;
use crate::documents::rows::{count, time};
use crate::error::Done;

/// A message handed out, to be acked or nacked by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// AMQP's delivery tag; unique in the file, also across restarts.
    pub tag: u64,
    /// What was published, with the number of failures before.
    pub message: OutboxMessage,
    /// Whether it was handed out before and came back.
    pub redelivered: bool,
    /// When it entered this queue.
    pub published_at: Time,
}

/// How much a queue holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The queue, with `.retry` or `.dead` where it is one of those.
    pub queue: String,
    /// Messages that nobody has; of a `.retry` queue those that wait.
    pub ready: u64,
    /// Messages handed out and not settled.
    pub unacked: u64,
}

/// A message that rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What it was.
    pub message: OutboxMessage,
    /// Why it is here.
    pub reason: String,
    /// Since when.
    pub died_at: Time,
}

impl Embedded {
    /// Hands out up to `max` ready messages, oldest first; an empty list when there are none. They stay
    /// durable until acked.
    ///
    /// # Errors
    /// When the store is down.
    pub async fn receive(&self, queue: &str, max: u32) -> StoreResult<Vec<Delivery>> {
        let (queue, now) = (queue.to_owned(), (self.clock)());
        self.store
            .write(move |db| {
                release_due(db, now)?;
                hand_out(db, &queue, max)
            })
            .await
    }

    /// Settles messages for good. A tag that was settled before is ignored.
    ///
    /// # Errors
    /// When the store is down; then they may be handed out again.
    pub async fn ack(&self, tags: &[u64]) -> StoreResult<()> {
        self.settle(tags, "DELETE FROM queue_messages WHERE tag = ?1 AND unacked = 1").await
    }

    /// Gives messages back to their places in the queue; they come again as redelivered.
    ///
    /// # Errors
    /// When the store is down; then they come back with the next start.
    pub async fn nack(&self, tags: &[u64]) -> StoreResult<()> {
        self.settle(tags, "UPDATE queue_messages SET unacked = 0 WHERE tag = ?1").await?;
        self.published.notify_waiters();
        Ok(())
    }

    /// What every queue holds that holds anything, by name.
    ///
    /// # Errors
    /// When the store is down.
    pub async fn depths(&self) -> StoreResult<Vec<Depth>> {
        let now = (self.clock)();
        self.store
            .write(move |db| {
                release_due(db, now)?;
                depths(db)
            })
            .await
    }

    /// What rests on `<queue>.dead`, oldest first.
    ///
    /// # Errors
    /// When the store is down.
    pub async fn dead_letters(&self, queue: &str, limit: u32) -> StoreResult<Vec<DeadLetter>> {
        let queue = format!("{queue}{DEAD}");
        let sql = "SELECT message_id, body, attempt, coalesce(reason, ''), published_at FROM queue_messages
                   WHERE queue = ?1 ORDER BY tag LIMIT ?2";
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(sql)?;
                let rows = select.query_map(params![queue, limit], |row| {
                    let message = OutboxMessage { id: row.get(0)?, body: row.get(1)?, attempt: row.get(2)? };
                    Ok(DeadLetter { message, reason: row.get(3)?, died_at: time(row, 4)? })
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// Puts everything from `<queue>.dead` back into the queue with a clean record; how many.
    ///
    /// # Errors
    /// When the store is down; then nothing moved.
    pub async fn replay_dead(&self, queue: &str) -> StoreResult<u64> {
        let (queue, now) = (queue.to_owned(), (self.clock)());
        let moved = self
            .store
            .write(move |db| {
                let dead = format!("{queue}{DEAD}");
                let copy = "INSERT INTO queue_messages (queue, message_id, body, attempt, published_at)
                            SELECT ?2, message_id, body, 0, ?3 FROM queue_messages
                            WHERE queue = ?1 ORDER BY tag";
                let moved = db.prepare_cached(copy)?.execute(params![dead, queue, now.millis()])?;
                db.prepare_cached("DELETE FROM queue_messages WHERE queue = ?1")?.execute([dead])?;
                Ok(moved as u64)
            })
            .await?;
        self.published.notify_waiters();
        Ok(moved)
    }

    /// Ends at the next publish, nack or replay. Take it before [`receive`](Self::receive) and nothing slips
    /// between; poll every second besides, for what `.retry` releases makes no noise.
    pub fn published(&self) -> impl Future<Output = ()> + Send + use<> {
        let notify = std::sync::Arc::clone(&self.published);
        let mut notified = Box::pin(notify.notified_owned());
        notified.as_mut().enable();
        notified
    }

    async fn settle(&self, tags: &[u64], sql: &'static str) -> StoreResult<()> {
        let tags: Vec<i64> = tags.iter().filter_map(|tag| i64::try_from(*tag).ok()).collect();
        self.store
            .write(move |db| {
                let mut settle = db.prepare_cached(sql)?;
                for tag in &tags {
                    settle.execute([tag])?;
                }
                Ok(())
            })
            .await
    }
}

/// Moves what has waited long enough from each `.retry` queue to the end of its own.
fn release_due(db: &Connection, now: Time) -> Done<()> {
    let copy = "INSERT INTO queue_messages (queue, message_id, body, attempt, published_at)
                SELECT substr(queue, 1, length(queue) - length(?2)), message_id, body, attempt, ready_at
                FROM queue_messages WHERE ready_at <= ?1 ORDER BY ready_at, tag";
    if db.prepare_cached(copy)?.execute(params![now.millis(), RETRY])? > 0 {
        db.prepare_cached("DELETE FROM queue_messages WHERE ready_at <= ?1")?.execute([now.millis()])?;
    }
    Ok(())
}

fn hand_out(db: &Connection, queue: &str, max: u32) -> Done<Vec<Delivery>> {
    let ready = "SELECT tag, message_id, body, attempt, deliveries > 0, published_at FROM queue_messages
                 WHERE queue = ?1 AND unacked = 0 ORDER BY tag LIMIT ?2";
    let mut select = db.prepare_cached(ready)?;
    let rows = select.query_map(params![queue, max], |row| {
        Ok(Delivery {
            tag: count(row, 0)?,
            message: OutboxMessage { id: row.get(1)?, body: row.get(2)?, attempt: row.get(3)? },
            redelivered: row.get(4)?,
            published_at: time(row, 5)?,
        })
    })?;
    let deliveries: Vec<Delivery> = rows.collect::<rusqlite::Result<_>>()?;
    let take = "UPDATE queue_messages SET unacked = 1, deliveries = deliveries + 1 WHERE tag = ?1";
    let mut take = db.prepare_cached(take)?;
    for delivery in &deliveries {
        take.execute([i64::try_from(delivery.tag).unwrap_or(i64::MAX)])?;
    }
    Ok(deliveries)
}

fn depths(db: &Connection) -> Done<Vec<Depth>> {
    let sql =
        "SELECT queue, sum(unacked = 0), sum(unacked) FROM queue_messages GROUP BY queue ORDER BY queue";
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map([], |row| {
        Ok(Depth { queue: row.get(0)?, ready: count(row, 1)?, unacked: count(row, 2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
