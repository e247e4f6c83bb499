//! A durable queue with RabbitMQ's manners. `Outbox` puts in; [`Embedded::receive`], [`Embedded::ack`] and
//! [`Embedded::nack`] take out; `<queue>.retry` waits and `<queue>.dead` rests.
//!
//! A message is ready, unacked, or waiting until `ready_at`. What is unacked when the process dies is ready
//! again at the next start, marked as redelivered.

mod consume;

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared::ports::{Outbox, OutboxMessage, StoreResult};
use shared::time::Time;

use crate::Embedded;
use crate::error::Done;
pub use consume::{DeadLetter, Delivery, Depth};

/// Where failed jobs wait for the next attempt.
const RETRY: &str = ".retry";
/// Where hopeless jobs rest.
const DEAD: &str = ".dead";

/// What a failed attempt earns; later ones earn the last.
const DELAYS: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

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
                let ready_at = Some(now + delay(message.attempt));
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

/// How long a job waits after so many failures.
fn delay(attempt: u32) -> Duration {
    let failures = usize::try_from(attempt).unwrap_or(usize::MAX);
    DELAYS[failures.saturating_sub(1).min(DELAYS.len() - 1)]
}

/// A message to be put into a queue.
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

    fn insert(&self, db: &Connection) -> Done<()> {
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

#[cfg(test)]
mod tests {
    use super::delay;

    #[test]
    fn delays_grow_and_then_stay() {
        let secs: Vec<u64> = (0..7).map(|attempt| delay(attempt).as_secs()).collect();
        assert_eq!(secs, [10, 10, 30, 120, 600, 600, 600]);
    }
}
