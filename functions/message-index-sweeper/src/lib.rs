//! Every minute — publishes messages that the search index lacks to `message_indexing_queue`.

use std::time::Duration;

use serde::Serialize;
use shared::error::Error;
use shared::indexing::{INDEXING_QUEUE, jobs};
use shared::lambda::schedule::ScheduledRun;
use shared::ports::{IndexBacklog, Outbox, SearchIndexWriter};

/// The most messages of one batch.
const BATCH: u32 = 5_000;
/// How long a published message is hidden from the sweeper: longer than all retries of its job take. If the job
/// is lost, the message is published again after that.
const HIDDEN: Duration = Duration::from_secs(30 * 60);
/// The part of the invocation's time that is reserved for the last batch.
const RESERVE: Duration = Duration::from_secs(10);
/// The longest time for batches, also without a deadline.
const LONGEST: Duration = Duration::from_secs(40);

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Messages whose jobs the broker confirmed.
    pub queued: u64,
    /// Whether the run ended with messages possibly left for the next one.
    pub out_of_time: bool,
}

/// Finds messages, publishes their jobs with confirms, and only then hides them; a crash in between publishes
/// them twice, which is harmless. While the index is down nothing is published, so that the queue does not grow.
/// Does nothing without an index.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(
    index_backlog: &dyn IndexBacklog,
    index: Option<&dyn SearchIndexWriter>,
    outbox: &dyn Outbox,
    run: ScheduledRun,
) -> Result<Report, Error> {
    let mut report = Report::default();
    let Some(index) = index else { return Ok(report) };
    let mut budget = run.time_budget(RESERVE, LONGEST);
    index.prepare().await?;
    loop {
        let ids = index_backlog.waiting(run.now, BATCH).await?;
        if ids.is_empty() {
            return Ok(report);
        }
        outbox.publish(INDEXING_QUEUE, &jobs(&ids)?).await?;
        index_backlog.hide_until(&ids, run.now, run.now + HIDDEN).await?;
        report.queued += ids.len() as u64;
        if ids.len() < BATCH as usize {
            return Ok(report);
        }
        if budget.is_over() {
            report.out_of_time = true;
            return Ok(report);
        }
    }
}
