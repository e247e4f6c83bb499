//! Every minute — sends due automatic messages to `message_sending_queue`, each at least once.

use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use serde::Serialize;
use shared::auto_message::{AutoMessage, Job, SENDING_QUEUE};
use shared::error::Error;
use shared::id::AutoMessageId;
use shared::lambda::schedule::Tick;
use shared::ports::{AutoMessages, Outbox, OutboxMessage};
use tokio::time::sleep;

/// How many rows one claim takes.
const BATCH: u32 = 500;
/// How long a claim keeps others away: less than the schedule's period, so that what a crash leaves behind
/// is taken up by the next run.
const LEASE: Duration = Duration::from_secs(55);
/// What is left for the last batch when time runs out.
const RESERVE: Duration = Duration::from_secs(10);
/// How long a run lasts where nobody set a limit.
const LONGEST: Duration = Duration::from_secs(50);

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Messages that the broker has confirmed.
    pub queued: u64,
    /// Whether due rows may be left for the next run.
    pub out_of_time: bool,
}

/// Claims, publishes with confirms, marks; batch by batch until nothing is due or time runs out. Any
/// number may run at once: a row belongs to one claim at a time. A crash after publishing leaves the row to
/// be published again, which the consumer recognises.
///
/// # Errors
/// `Unavailable`: what was claimed becomes free when its lease ends.
pub async fn handle(
    auto_messages: &dyn AutoMessages,
    outbox: &dyn Outbox,
    tick: Tick,
) -> Result<Report, Error> {
    let mut end = pin!(sleep(tick.budget.unwrap_or(LONGEST).min(LONGEST).saturating_sub(RESERVE)));
    let mut report = Report::default();
    loop {
        let rows = auto_messages.claim(tick.now, tick.now + LEASE, BATCH).await?;
        if rows.is_empty() {
            return Ok(report);
        }
        outbox.publish(SENDING_QUEUE, &jobs(&rows)?).await?;
        let ids: Vec<AutoMessageId> = rows.into_iter().map(|row| row.id).collect();
        auto_messages.queued(&ids).await?;
        report.queued += ids.len() as u64;
        if end.as_mut().now_or_never().is_some() {
            report.out_of_time = true;
            return Ok(report);
        }
    }
}

fn jobs(rows: &[AutoMessage]) -> Result<Vec<OutboxMessage>, Error> {
    rows.iter()
        .map(|row| {
            let body = serde_json::to_vec(&Job::from(row)).map_err(|e| Error::Internal(Box::new(e)))?;
            Ok(OutboxMessage { id: row.id.to_string(), body, attempt: 0 })
        })
        .collect()
}
