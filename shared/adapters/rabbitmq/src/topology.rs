//! The queues of a job queue `Q`. All are durable. Each new connection declares them before their first use.
//!
//! | queue | content | what happens next |
//! |---|---|---|
//! | `Q` | jobs to run | a consumer takes them |
//! | `Q.retry` | jobs that failed once | return to `Q` after 10 s |
//! | `Q.retry.2`, `.3`, `.4` | jobs that failed two, three, four times | return to `Q` after 30 s, 2 min, 10 min |
//! | `Q.dead` | jobs that failed for good, with `x-reason` | an operator replays them |
//!
//! **One retry queue per delay.** RabbitMQ expires a message only at the head of its queue. In a shared queue,
//! a job that waits ten minutes would block the jobs behind it that wait ten seconds. All messages of one
//! queue wait equally long, so the head always expires first. The delay is set as each message's `expiration`
//! and not as a queue argument, so it can be changed without deleting queues.
//!
//! **The retry queues are quorum queues** with at-least-once dead-lettering: the broker removes an expired job
//! only after `Q` has confirmed it. A classic queue dead-letters without a confirm, and loses the job if the
//! broker crashes in between. This needs RabbitMQ 3.10 or newer.
//!
//! **`Q` and `Q.dead` are plain durable queues**, so that any consumer can declare them with the same
//! arguments. Existing queues with other arguments are used unchanged.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, Connection, ErrorKind, Queue};

use crate::failure::Failure;

/// AMQP's reply code for a queue that exists with other arguments.
const PRECONDITION_FAILED: u16 = 406;

/// The name of the retry queue for a job that has failed `attempt` times, out of `queues` retry queues; further
/// failures use the last one. `None` if there are no retry queues.
pub fn retry_queue(queue: &str, attempt: u32, queues: usize) -> Option<String> {
    let last = queues.checked_sub(1)?;
    match usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(last) {
        0 => Some(format!("{queue}.retry")),
        later => Some(format!("{queue}.retry.{}", later + 1)),
    }
}

/// The name of the dead-letter queue.
pub fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The job queue itself, its retry queues, and its dead-letter queue.
pub(crate) fn all_queues(queue: &str, delays: &[Duration]) -> Vec<String> {
    let retries = (1..=delays.len()).filter_map(|n| retry_queue(queue, u32::try_from(n).ok()?, delays.len()));
    [queue.to_owned()].into_iter().chain(retries).chain([dead_queue(queue)]).collect()
}

/// Text as an AMQP short string: at most 255 bytes.
pub(crate) fn short_string(text: &str) -> Result<ShortString, Failure> {
    ShortString::try_new(text).map_err(|_| Failure::TooLong)
}

/// Declares a job queue with its retry queues and its dead-letter queue.
pub(crate) async fn declare(
    connection: &Connection,
    queue: &str,
    delays: &[Duration],
) -> Result<(), Failure> {
    let dead = dead_queue(queue);
    for name in all_queues(queue, delays) {
        let is_retry = name != queue && name != dead;
        let arguments = if is_retry { retry_arguments(queue) } else { FieldTable::default() };
        // The broker closes the channel when it refuses a declaration, so each declaration has its own.
        let channel = connection.create_channel().await?;
        match channel.queue_declare(short_string(&name)?, QueueDeclareOptions::durable(), arguments).await {
            Ok(_) => channel.close(200, "OK".into()).await?,
            Err(error) if !is_retry && has_other_arguments(&error) => {
                tracing::info!(queue = name, "queue exists with other arguments; using it unchanged");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads the state of a queue, which must exist.
pub(crate) async fn inspect(channel: &Channel, queue: &str) -> Result<Queue, Failure> {
    let passive = QueueDeclareOptions::durable().passive();
    Ok(channel.queue_declare(short_string(queue)?, passive, FieldTable::default()).await?)
}

/// The arguments of a retry queue: expired messages return to `queue` with at-least-once dead-lettering, which
/// requires a quorum queue and `reject-publish`.
fn retry_arguments(queue: &str) -> FieldTable {
    let arguments = [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", ""),
        ("x-dead-letter-routing-key", queue),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ];
    let mut table = FieldTable::default();
    for (key, value) in arguments {
        table.insert(key.into(), AMQPValue::LongString(LongString::from(value)));
    }
    table
}

fn has_other_arguments(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(amqp) if amqp.get_id() == PRECONDITION_FAILED)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{all_queues, retry_queue};

    #[test]
    fn each_attempt_has_its_retry_queue_and_further_attempts_use_the_last_one() {
        let cases =
            [(0, "q.retry"), (1, "q.retry"), (2, "q.retry.2"), (4, "q.retry.4"), (u32::MAX, "q.retry.4")];
        for (attempt, queue) in cases {
            assert_eq!(retry_queue("q", attempt, 4).as_deref(), Some(queue), "{attempt}");
        }
        assert_eq!(retry_queue("q", 1, 0), None);
    }

    #[test]
    fn each_queue_is_listed_once() {
        assert_eq!(
            all_queues("q", &[Duration::ZERO; 3]),
            ["q", "q.retry", "q.retry.2", "q.retry.3", "q.dead"]
        );
    }
}
