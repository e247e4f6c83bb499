//! Every minute — sends messages that the search index lacks to `message_indexing_queue`.

use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use serde::Serialize;
use shared::error::Error;
use shared::indexing::{INDEXING_QUEUE, jobs};
use shared::lambda::schedule::Tick;
use shared::ports::{Indexing, Outbox, Unindexed};
use tokio::time::sleep;

/// How many messages are looked for at once.
const BATCH: u32 = 5_000;
/// How long a message that was sent is left alone: longer than a job waits for its retries. Should its job be
/// lost nevertheless, it is sent again then.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// What is left for the last batch when time runs out.
const RESERVE: Duration = Duration::from_secs(10);
/// How long a run lasts where nobody set a limit.
const LONGEST: Duration = Duration::from_secs(50);

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Messages whose jobs the broker has confirmed.
    pub queued: u64,
    /// Whether more may wait.
    pub out_of_time: bool,
}

/// Without an index there is nothing to do. Finds, publishes with confirms, and only then puts off; so a crash in
/// between publishes twice what may be indexed twice, and loses nothing. While the index is down nothing is published: the queue does not grow,
/// and the messages wait where they are.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(
    unindexed: &dyn Unindexed,
    index: Option<&dyn Indexing>,
    outbox: &dyn Outbox,
    tick: Tick,
) -> Result<Report, Error> {
    let mut report = Report::default();
    let Some(index) = index else { return Ok(report) };
    let mut end = pin!(sleep(tick.budget.unwrap_or(LONGEST).min(LONGEST).saturating_sub(RESERVE)));
    index.prepare().await?;
    loop {
        let ids = unindexed.waiting(tick.now, BATCH).await?;
        if ids.is_empty() {
            return Ok(report);
        }
        outbox.publish(INDEXING_QUEUE, &jobs(&ids)?).await?;
        unindexed.postpone(&ids, tick.now, tick.now + PATIENCE).await?;
        report.queued += ids.len() as u64;
        if ids.len() < BATCH as usize {
            return Ok(report);
        }
        if end.as_mut().now_or_never().is_some() {
            report.out_of_time = true;
            return Ok(report);
        }
    }
}
