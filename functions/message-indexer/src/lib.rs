//! `message_indexing_queue` — puts the messages that each job names into the search index.

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use shared::error::Error;
use shared::indexing::{Job, bring};
use shared::lambda::queue::{Batch, Delivery, Outcome, settle};
use shared::ports::{Indexing, Outbox, Unindexed};

/// How many jobs of a batch are under way at once.
const AT_ONCE: usize = 2;

/// What the indexer may touch.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// What the messages say, and which of them wait.
    pub unindexed: &'a dyn Unindexed,
    /// Where they go; without an index a job is moot, and its messages wait for one.
    pub index: Option<&'a dyn Indexing>,
    /// Where failed jobs wait or rest.
    pub outbox: &'a dyn Outbox,
}

/// Works on a batch, as [`settle`] says.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, batch: Batch) -> Result<(), Error> {
    let jobs: Vec<BoxFuture<'_, Outcome<'_>>> =
        batch.deliveries.iter().map(|delivery| work(ports, delivery).boxed()).collect();
    let outcomes: Vec<Outcome<'_>> = stream::iter(jobs).buffer_unordered(AT_ONCE).collect().await;
    settle(ports.outbox, outcomes).await
}

async fn work<'b>(ports: Ports<'_>, delivery: &'b Delivery) -> Outcome<'b> {
    let result = match (serde_json::from_slice::<Job>(&delivery.body), ports.index) {
        (Err(_), _) => Err(Error::InvalidJson),
        (Ok(_), None) => Ok(()),
        (Ok(job), Some(index)) => bring(ports.unindexed, index, &job.message_ids).await,
    };
    (delivery, result)
}
