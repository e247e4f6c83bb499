//! The queues of a job queue `Q`, all durable and declared again whenever a connection first needs them.
//!
//! | queue | what lies there | how it leaves |
//! |---|---|---|
//! | `Q` | jobs to do | a consumer |
//! | `Q.retry` | jobs that failed once | back to `Q` after 10 s |
//! | `Q.retry.2`, `.3`, `.4` | jobs that failed twice, … | back to `Q` after 30 s, 2 min, 10 min |
//! | `Q.dead` | hopeless jobs, with `x-reason` | replayed by hand |
//!
//! **One retry queue for each delay.** RabbitMQ lets a message expire only at the head of its queue, so in a
//! shared one a job that waits ten minutes would hold up all that wait ten seconds behind it. Here all
//! that wait in a queue wait equally long, so the head always expires first. The delay is each message's
//! own `expiration` and not the queue's argument, so that it can be changed without deleting queues.
//!
//! **The retry queues are quorum queues** with at-least-once dead-lettering: the broker lets go of an expired job
//! only when `Q` has confirmed it. A classic queue's way back is not confirmed, and a broker that dies in
//! between loses the job. RabbitMQ 3.10 or newer is needed.
//!
//! **`Q` and `Q.dead` are plain durable queues**, which any consumer may declare likewise. If they exist with
//! other arguments, they are used as they are.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, Connection, ErrorKind, Queue};

use crate::failure::Failure;

/// AMQP's reply code for a queue that exists with other arguments.
const PRECONDITION_FAILED: u16 = 406;

/// The name of the queue in which a job waits after failing `attempt` times, of so many queues.
/// `None` when there are none.
pub fn retry_queue(queue: &str, attempt: u32, queues: usize) -> Option<String> {
    match step(attempt, queues)? {
        0 => Some(format!("{queue}.retry")),
        later => Some(format!("{queue}.retry.{}", later + 1)),
    }
}

/// The name of the queue in which hopeless jobs rest.
pub fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// All queues of a job queue: itself, its retry queues, its dead.
pub(crate) fn all(queue: &str, delays: &[Duration]) -> Vec<String> {
    let retries = (1..=delays.len()).filter_map(|n| retry_queue(queue, u32::try_from(n).ok()?, delays.len()));
    [queue.to_owned()].into_iter().chain(retries).chain([dead_queue(queue)]).collect()
}

/// Which delay a job earns that has failed so often: the last one holds for all later failures.
pub(crate) fn step(attempt: u32, delays: usize) -> Option<usize> {
    let wanted = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    Some(wanted.min(delays.checked_sub(1)?))
}

/// A name as the wire wants it.
pub(crate) fn name(text: &str) -> Result<ShortString, Failure> {
    ShortString::try_new(text).map_err(|_| Failure::TooLong)
}

/// Declares all of a queue's queues.
pub(crate) async fn declare(
    connection: &Connection,
    queue: &str,
    delays: &[Duration],
) -> Result<(), Failure> {
    let dead = dead_queue(queue);
    for each in all(queue, delays) {
        let is_retry = each != queue && each != dead;
        let arguments = if is_retry { back_to(queue) } else { FieldTable::default() };
        // A refusal closes the channel, so each question has its own.
        let channel = connection.create_channel().await?;
        match channel.queue_declare(name(&each)?, QueueDeclareOptions::durable(), arguments).await {
            Ok(_) => channel.close(200, "OK".into()).await?,
            Err(error) if !is_retry && exists_otherwise(&error) => {
                tracing::info!(queue = each, "the queue exists with other arguments and is used as it is");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Asks after a queue that must exist.
pub(crate) async fn look(channel: &Channel, queue: &str) -> Result<Queue, Failure> {
    let passive = QueueDeclareOptions::durable().passive();
    Ok(channel.queue_declare(name(queue)?, passive, FieldTable::default()).await?)
}

/// What makes a queue send its expired messages back to `queue`, and lose none on the way.
fn back_to(queue: &str) -> FieldTable {
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

fn exists_otherwise(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(amqp) if amqp.get_id() == PRECONDITION_FAILED)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{all, retry_queue};

    #[test]
    fn each_failure_has_its_queue_and_the_last_one_all_later_ones() {
        let cases =
            [(0, "q.retry"), (1, "q.retry"), (2, "q.retry.2"), (4, "q.retry.4"), (u32::MAX, "q.retry.4")];
        for (attempt, queue) in cases {
            assert_eq!(retry_queue("q", attempt, 4).as_deref(), Some(queue), "{attempt}");
        }
        assert_eq!(retry_queue("q", 1, 0), None);
    }

    #[test]
    fn all_are_listed_once() {
        assert_eq!(all("q", &[Duration::ZERO; 3]), ["q", "q.retry", "q.retry.2", "q.retry.3", "q.dead"]);
    }
}
