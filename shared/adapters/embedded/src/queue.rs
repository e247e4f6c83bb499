//! A durable queue that behaves as RabbitMQ does. `Outbox` publishes; [`Embedded::receive`], [`Embedded::ack`] and
//! [`Embedded::nack`] consume. Failed jobs wait in `<queue>.retry`, dead-lettered ones stay in `<queue>.dead`.
//!
//! A message is ready, unacked, or waiting until `ready_at`. A message that is unacked when the process dies is
//! ready again at the next start, marked as redelivered.

mod consume;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared::ports::{Outbox, OutboxMessage, StoreResult};
use shared::retry::{RETRY_DELAYS, delay};
use shared::time::Time;

use crate::Embedded;
use crate::error::DbResult;
pub use consume::{DeadLetter, Delivery, Depth};

/// Suffix of the queue in which failed jobs wait for their next attempt.
const RETRY: &str = ".retry";
/// Suffix of the queue of dead-lettered jobs.
const DEAD: &str = ".dead";

#[async_trait]
impl Outbox for Embedded {
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()> {
        let (now, messages) = ((self.clock)(), messages.to_vec());
        let queue = queue.to_owned();
        self.store
            .write(move |db| {
                messages.iter().try_for_each(|message| Row::ready(&queue, message, now).insert(db))
            })
            .await?;
        self.published.notify_waiters();
        Ok(())
    }

    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()> {
        let (now, message) = ((self.clock)(), message.clone());
        let queue = format!("{queue}{RETRY}");
        self.store
            .write(move |db| {
                let ready_at = Some(now + delay(&RETRY_DELAYS, message.attempt));
                Row { ready_at, ..Row::ready(&queue, &message, now) }.insert(db)
            })
            .await
    }

    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()> {
        let (now, message, reason) = ((self.clock)(), message.clone(), reason.to_owned());
        let queue = format!("{queue}{DEAD}");
        self.store
            .write(move |db| Row { reason: Some(&reason), ..Row::ready(&queue, &message, now) }.insert(db))
            .await
    }
}

/// A row of `queue_messages` to insert.
struct Row<'a> {
    queue: &'a str,
    message: &'a OutboxMessage,
    published_at: Time,
    ready_at: Option<Time>,
    reason: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn ready(queue: &'a str, message: &'a OutboxMessage, published_at: Time) -> Self {
        Self { queue, message, published_at, ready_at: None, reason: None }
    }

    fn insert(&self, db: &Connection) -> DbResult<()> {
        let sql =
            "INSERT INTO queue_messages (queue, message_id, body, attempt, published_at, ready_at, reason)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        db.prepare_cached(sql)?.execute(params![
            self.queue,
            self.message.id,
            self.message.body,
            self.message.attempt,
            self.published_at.millis(),
            self.ready_at.map(Time::millis),
            self.reason,
        ])?;
        Ok(())
    }
}
