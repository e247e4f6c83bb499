//! The poller of one mapping: one batch at a time, invoked synchronously, all or nothing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::backoff::Backoff;
use super::batch::{Batch, Limits, Pushed, Record};
use super::event::event;
use super::source::Source;
use crate::invoke::{Invocation, InvokeError, Invoker};
use crate::plan::QueuePlan;

/// Feeds one function from one queue. Lambda runs one poller per RabbitMQ mapping, so batches are
/// strictly sequential.
pub struct Poller<S> {
    plan: QueuePlan,
    source: S,
    invoker: Arc<dyn Invoker>,
    backoff: Backoff,
}

impl<S: Source> Poller<S> {
    /// A poller that has not begun. A failing batch is tried again after 100 ms, then twice as long,
    /// up to 10 s.
    #[must_use]
    pub fn new(plan: QueuePlan, source: S, invoker: Arc<dyn Invoker>) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        Self { plan, source, invoker, backoff }
    }

    /// Polls until `stop` is ready. A running invocation ends first and its batch is settled; whatever
    /// else was received returns to the queue, so nothing is lost.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let mut batch = Batch::new(Limits::of(&self.plan));
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
                    batch.next(Instant::now());
                }
                Err(error) => {
                    let pause = self.give_back(&mut batch, &error).await;
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            }
        }
        self.source.nack(&batch.abandon(), true).await;
        self.source.close().await;
    }

    /// Invokes with the whole batch. The function's answer does not matter, only that it did not fail.
    async fn invoke(&self, batch: &Batch) -> Result<(), InvokeError> {
        let messages: Vec<&str> = batch.records().iter().map(|record| record.json.as_str()).collect();
        let call = Invocation::new(self.plan.function.as_str(), event(&self.plan, &messages));
        self.invoker.invoke(call).await.map(drop)
    }

    /// Returns the whole batch to the queue, the carried record too so that the order stays, and says
    /// how long to wait. Error, timeout and throttle are the same to a mapping: retried until success
    /// or until the message's TTL ends it.
    async fn give_back(&mut self, batch: &mut Batch, error: &InvokeError) -> Duration {
        let pause = self.backoff.pause();
        tracing::warn!(mapping = self.plan.name, function = self.plan.function, messages = batch.records().len(),
            %error, ?pause, "the batch returns to the queue");
        self.source.nack(&batch.abandon(), true).await;
        pause
    }
}

/// Gathers until the batch closes. Cancel-safe: what was received is in the batch.
async fn fill<S: Source>(source: &mut S, batch: &mut Batch) {
    while !batch.is_full() {
        let delivery = match batch.closes_at() {
            None => source.next().await,
            Some(at) => match timeout_at(at, source.next()).await {
                Ok(delivery) => delivery,
                Err(_) => return,
            },
        };
        if batch.push(Record::of(&delivery), Instant::now()) == Pushed::TooLarge {
            tracing::warn!(bytes = delivery.data.len(), "a message larger than a payload may be is dropped");
            source.nack(&[delivery.id], false).await;
        }
    }
}
