//! The poller of one mapping: invokes the function with one batch at a time, and acknowledges or requeues the
//! whole batch.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::backoff::Backoff;
use super::batch::{Batch, BatchLimits, PushOutcome, Record};
use super::event;
use super::source::Source;
use crate::invoke::{Invocation, InvokeError, Invoker};
use crate::plan::QueuePlan;

/// The delay before a failed batch is tried again: this, doubled with every further failure, up to
/// [`MAX_DELAY`].
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);

/// Invokes one function with the messages of one queue. Lambda runs one poller per RabbitMQ mapping, so
/// batches are strictly sequential.
pub struct Poller<S> {
    plan: QueuePlan,
    source: S,
    invoker: Arc<dyn Invoker>,
    backoff: Backoff,
}

impl<S: Source> Poller<S> {
    /// A poller that is not running yet.
    #[must_use]
    pub fn new(plan: QueuePlan, source: S, invoker: Arc<dyn Invoker>) -> Self {
        Self { plan, source, invoker, backoff: Backoff::new(FIRST_DELAY, MAX_DELAY) }
    }

    /// Polls until `stop` resolves. An invocation in progress finishes and its batch is settled; all other
    /// messages return to the queue.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let mut batch = Batch::new(BatchLimits::of(&self.plan));
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = fill(&mut self.source, &mut batch) => {}
            }
            match self.invoke(&batch).await {
                Ok(()) => {
                    self.source.ack(&batch.ids()).await;
                    self.backoff.reset();
                    batch.start_next(Instant::now());
                }
                Err(error) => {
                    let delay = self.requeue(&mut batch, &error).await;
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(delay) => {}
                    }
                }
            }
        }
        self.source.nack(&batch.take_ids(), true).await;
        self.source.close().await;
    }

    /// Invokes the function with the whole batch. Its reply has no effect.
    async fn invoke(&self, batch: &Batch) -> Result<(), InvokeError> {
        let messages: Vec<&str> = batch.records().iter().map(|record| record.json.as_str()).collect();
        let call = Invocation::new(self.plan.function.as_str(), event::build(&self.plan, &messages));
        self.invoker.invoke(call).await.map(drop)
    }

    /// Returns the whole batch to the queue, and returns the delay before the next attempt. A mapping treats
    /// errors, timeouts and throttling alike: it retries until success or until the message's TTL expires.
    /// The record that did not fit returns too, so that the order is kept.
    async fn requeue(&mut self, batch: &mut Batch, error: &InvokeError) -> Duration {
        let delay = self.backoff.next_delay();
        tracing::warn!(mapping = self.plan.name, function = self.plan.function, messages = batch.records().len(),
            %error, ?delay, "function failed; batch requeued");
        self.source.nack(&batch.take_ids(), true).await;
        delay
    }
}

/// Adds messages until the batch is complete. Cancel-safe: the batch keeps what was received.
async fn fill<S: Source>(source: &mut S, batch: &mut Batch) {
    while !batch.is_full() {
        let message = match batch.closes_at() {
            None => source.next().await,
            Some(at) => match timeout_at(at, source.next()).await {
                Ok(message) => message,
                Err(_) => return,
            },
        };
        if batch.push(Record::of(&message), Instant::now()) == PushOutcome::TooLarge {
            tracing::warn!(bytes = message.data.len(), "message dropped: larger than the payload limit");
            source.nack(&[message.id], false).await;
        }
    }
}
