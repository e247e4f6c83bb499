//! Every minute — publishes due automatic messages to `message_sending_queue`, each at least once.

use std::time::Duration;

use serde::Serialize;
use shared::auto_message::{AutoMessage, SENDING_QUEUE, SendingJob};
use shared::error::Error;
use shared::id::AutoMessageId;
use shared::lambda::schedule::ScheduledRun;
use shared::ports::{AutoMessages, Outbox, OutboxMessage};

/// The most rows of one claim.
const BATCH: u32 = 500;
/// How long a claim lasts. Shorter than the schedule's period, so that the next run takes over the rows that a
/// crash left claimed.
const LEASE: Duration = Duration::from_secs(55);
/// The part of the invocation's time that is reserved for the last batch.
const RESERVE: Duration = Duration::from_secs(10);
/// The longest time for batches, also without a deadline.
const LONGEST: Duration = Duration::from_secs(40);

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Messages that the broker confirmed.
    pub queued: u64,
    /// Whether the run ended with due rows possibly left for the next one.
    pub out_of_time: bool,
}

/// Claims due rows, publishes them with confirms and marks them as queued, batch by batch, until nothing is due
/// or the time is used up. Any number of runs may overlap: a row belongs to one claim at a time. After a crash
/// between publishing and marking, the row is published again, and the consumer recognises the duplicate.
///
/// # Errors
/// `Unavailable`; claimed rows can be claimed again when their lease expires.
pub async fn handle(
    auto_messages: &dyn AutoMessages,
    outbox: &dyn Outbox,
    run: ScheduledRun,
) -> Result<Report, Error> {
    let mut budget = run.time_budget(RESERVE, LONGEST);
    let mut report = Report::default();
    loop {
        let rows = auto_messages.claim(run.now, run.now + LEASE, BATCH).await?;
        if rows.is_empty() {
            return Ok(report);
        }
        outbox.publish(SENDING_QUEUE, &jobs(&rows)?).await?;
        let ids: Vec<AutoMessageId> = rows.into_iter().map(|row| row.id).collect();
        auto_messages.mark_queued(&ids).await?;
        report.queued += ids.len() as u64;
        if budget.is_over() {
            report.out_of_time = true;
            return Ok(report);
        }
    }
}

fn jobs(rows: &[AutoMessage]) -> Result<Vec<OutboxMessage>, Error> {
    rows.iter()
        .map(|row| {
            let body =
                serde_json::to_vec(&SendingJob::from(row)).map_err(|e| Error::Internal(Box::new(e)))?;
            Ok(OutboxMessage { id: row.id.to_string(), body, attempt: 0 })
        })
        .collect()
}
