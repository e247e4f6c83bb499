//! The consumer's side of the queue, for an event source that stands in for a broker's.

use rusqlite::{Connection, params};
use shared::ports::{OutboxMessage, StoreResult};
use shared::time::Time;

use super::{DEAD, RETRY};
use crate::Embedded;
use crate::documents::rows::{count, time};
use crate::error::DbResult;

/// A delivered message, to be acked or nacked by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Like AMQP's delivery tag, but unique in the database, also across restarts.
    pub tag: u64,
    /// `attempt` is the number of failures before this delivery.
    pub message: OutboxMessage,
    /// Whether it was delivered before and not acked.
    pub redelivered: bool,
    /// When it entered this queue.
    pub published_at: Time,
}

/// The number of messages in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The queue's name, including `.retry` or `.dead`.
    pub queue: String,
    /// Messages to deliver; in a `.retry` queue, those that wait for their next attempt.
    pub ready: u64,
    /// Messages delivered and neither acked nor nacked.
    pub unacked: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub message: OutboxMessage,
    pub reason: String,
    pub dead_lettered_at: Time,
}

impl Embedded {
    /// Delivers up to `max` ready messages, oldest first, without waiting for one. They stay stored until acked.
    ///
    /// # Errors
    /// `Down`.
    pub async fn receive(&self, queue: &str, max: u32) -> StoreResult<Vec<Delivery>> {
        let (queue, now) = (queue.to_owned(), (self.clock)());
        self.store
            .write(move |db| {
                release_due(db, now)?;
                deliver(db, &queue, max)
            })
            .await
    }

    /// Deletes delivered messages. A tag that was acked or nacked before is ignored.
    ///
    /// # Errors
    /// `Down`; the messages may then be delivered again.
    pub async fn ack(&self, tags: &[u64]) -> StoreResult<()> {
        self.execute_for_each(tags, "DELETE FROM queue_messages WHERE tag = ?1 AND unacked = 1").await
    }

    /// Makes delivered messages ready again, in their old order; the next delivery is marked as redelivered.
    ///
    /// # Errors
    /// `Down`; the messages are then ready again after the next start.
    pub async fn nack(&self, tags: &[u64]) -> StoreResult<()> {
        self.execute_for_each(tags, "UPDATE queue_messages SET unacked = 0 WHERE tag = ?1").await?;
        self.published.notify_waiters();
        Ok(())
    }

    /// The depths of all queues that are not empty, by name.
    ///
    /// # Errors
    /// `Down`.
    pub async fn depths(&self) -> StoreResult<Vec<Depth>> {
        let now = (self.clock)();
        self.store
            .write(move |db| {
                release_due(db, now)?;
                depths(db)
            })
            .await
    }

    /// The messages of `<queue>.dead`, oldest first.
    ///
    /// # Errors
    /// `Down`.
    pub async fn dead_letters(&self, queue: &str, limit: u32) -> StoreResult<Vec<DeadLetter>> {
        let queue = format!("{queue}{DEAD}");
        let sql = "SELECT message_id, body, attempt, coalesce(reason, ''), published_at FROM queue_messages
                   WHERE queue = ?1 ORDER BY tag LIMIT ?2";
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(sql)?;
                let rows = select.query_map(params![queue, limit], |row| {
                    let message = OutboxMessage { id: row.get(0)?, body: row.get(1)?, attempt: row.get(2)? };
                    Ok(DeadLetter { message, reason: row.get(3)?, dead_lettered_at: time(row, 4)? })
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// Moves all messages of `<queue>.dead` back into the queue, with no failures counted, and returns their number.
    ///
    /// # Errors
    /// `Down`; no message was moved then.
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

    /// Completes at the next publish, nack or replay. Call it before [`receive`](Self::receive), so that a publish
    /// between the two is not missed. Also poll every second: a message that leaves `.retry` does not complete it.
    pub fn published(&self) -> impl Future<Output = ()> + Send + use<> {
        let notify = std::sync::Arc::clone(&self.published);
        let mut notified = Box::pin(notify.notified_owned());
        notified.as_mut().enable();
        notified
    }

    async fn execute_for_each(&self, tags: &[u64], sql: &'static str) -> StoreResult<()> {
        let tags: Vec<i64> = tags.iter().filter_map(|tag| i64::try_from(*tag).ok()).collect();
        self.store
            .write(move |db| {
                let mut statement = db.prepare_cached(sql)?;
                for tag in &tags {
                    statement.execute([tag])?;
                }
                Ok(())
            })
            .await
    }
}

/// Moves the messages of `.retry` queues whose delay is over to the ends of their own queues.
fn release_due(db: &Connection, now: Time) -> DbResult<()> {
    let copy = "INSERT INTO queue_messages (queue, message_id, body, attempt, published_at)
                SELECT substr(queue, 1, length(queue) - length(?2)), message_id, body, attempt, ready_at
                FROM queue_messages WHERE ready_at <= ?1 ORDER BY ready_at, tag";
    if db.prepare_cached(copy)?.execute(params![now.millis(), RETRY])? > 0 {
        db.prepare_cached("DELETE FROM queue_messages WHERE ready_at <= ?1")?.execute([now.millis()])?;
    }
    Ok(())
}

fn deliver(db: &Connection, queue: &str, max: u32) -> DbResult<Vec<Delivery>> {
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
    let mark = "UPDATE queue_messages SET unacked = 1, deliveries = deliveries + 1 WHERE tag = ?1";
    let mut mark = db.prepare_cached(mark)?;
    for delivery in &deliveries {
        mark.execute([i64::try_from(delivery.tag).unwrap_or(i64::MAX)])?;
    }
    Ok(deliveries)
}

fn depths(db: &Connection) -> DbResult<Vec<Depth>> {
    let sql =
        "SELECT queue, sum(unacked = 0), sum(unacked) FROM queue_messages GROUP BY queue ORDER BY queue";
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map([], |row| {
        Ok(Depth { queue: row.get(0)?, ready: count(row, 1)?, unacked: count(row, 2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
