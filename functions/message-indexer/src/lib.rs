//! `message_indexing_queue` — writes the messages that each job names to the search index.

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use shared::error::Error;
use shared::indexing::{IndexingJob, index_messages};
use shared::lambda::queue::{Batch, Delivery, Outcome, settle};
use shared::ports::{IndexBacklog, Outbox, SearchIndexWriter};

/// How many jobs of a batch run at once.
const AT_ONCE: usize = 2;

/// The ports of the indexer.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub index_backlog: &'a dyn IndexBacklog,
    /// `None` without a search index; jobs then succeed and their messages stay in the backlog.
    pub index: Option<&'a dyn SearchIndexWriter>,
    pub outbox: &'a dyn Outbox,
}

/// Handles a batch; failed jobs are retried or dead-lettered by [`settle`].
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, batch: Batch) -> Result<(), Error> {
    let jobs: Vec<BoxFuture<'_, Outcome<'_>>> =
        batch.deliveries.iter().map(|delivery| run(ports, delivery).boxed()).collect();
    let outcomes: Vec<Outcome<'_>> = stream::iter(jobs).buffer_unordered(AT_ONCE).collect().await;
    settle(ports.outbox, outcomes).await
}

async fn run<'b>(ports: Ports<'_>, delivery: &'b Delivery) -> Outcome<'b> {
    let result = match (serde_json::from_slice::<IndexingJob>(&delivery.body), ports.index) {
        (Err(_), _) => Err(Error::InvalidJson),
        (Ok(_), None) => Ok(()),
        (Ok(job), Some(index)) => index_messages(ports.index_backlog, index, &job.message_ids).await,
    };
    (delivery, result)
}
