//! The embedded queue as an event source, in place of RabbitMQ.

use std::collections::VecDeque;
use std::time::Duration;

use adapter_embedded::Embedded;
use futures::future::{BoxFuture, FutureExt as _, ready};
use sam_emulator::event_source::{AmqpProperties, AmqpValue, Source, SourceMessage};
use shared::error::StoreError;
use shared::lambda::queue::ATTEMPT_HEADER;
use shared::ports::StoreResult;
use tokio::task::JoinHandle;

/// The largest number of messages that one call receives from the store.
const PREFETCH: u32 = 250;
/// The time after which the queue is read again, because `.retry` may have released messages.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Received messages, and a future that ends when more are published.
type Received = (StoreResult<Vec<adapter_embedded::Delivery>>, BoxFuture<'static, ()>);

/// An event source that reads one queue of the embedded store.
pub struct EmbeddedSource {
    store: &'static Embedded,
    queue: String,
    ready: VecDeque<adapter_embedded::Delivery>,
    /// Kept when `next` is cancelled: messages that the store delivers afterwards would otherwise stay unacknowledged
    /// until the next start.
    receiving: Option<JoinHandle<Received>>,
}

impl EmbeddedSource {
    pub fn new(store: &'static Embedded, queue: String) -> Self {
        Self { store, queue, ready: VecDeque::new(), receiving: None }
    }

    /// Receives messages from the store. After a cancelled call the next call returns the messages of that one.
    async fn receive(&mut self) -> Received {
        let (store, queue) = (self.store, &self.queue);
        let receiving = self.receiving.get_or_insert_with(|| {
            let queue = queue.clone();
            tokio::spawn(async move {
                // Created before the read, so that no publication in between is missed.
                let published = store.published().boxed();
                (store.receive(&queue, PREFETCH).await, published)
            })
        });
        let received = receiving.await;
        self.receiving = None;
        received.unwrap_or_else(|error| (Err(StoreError::down("embedded", error)), ready(()).boxed()))
    }
}

impl Source for EmbeddedSource {
    async fn next(&mut self) -> SourceMessage {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return source_message(delivery);
            }
            let (received, published) = self.receive().await;
            match received {
                Ok(batch) if !batch.is_empty() => self.ready.extend(batch),
                Ok(_) => {
                    // The queue is read again after a timeout too.
                    let _ = tokio::time::timeout(POLL_INTERVAL, published).await;
                }
                Err(error) => {
                    tracing::warn!(queue = self.queue, %error, "the queue cannot be read");
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        log_failure(&self.queue, self.store.ack(ids).await);
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        let result = if requeue { self.store.nack(ids).await } else { self.store.ack(ids).await };
        log_failure(&self.queue, result);
    }

    async fn close(mut self) {
        if self.receiving.is_some()
            && let (Ok(batch), _) = self.receive().await
        {
            self.ready.extend(batch);
        }
        let rest: Vec<u64> = self.ready.iter().map(|delivery| delivery.tag).collect();
        log_failure(&self.queue, self.store.nack(&rest).await);
    }
}

/// Logs a failure. Messages that were not settled are redelivered at the next start, as with every at-least-once queue.
fn log_failure(queue: &str, result: StoreResult<()>) {
    if let Err(error) = result {
        tracing::warn!(queue, %error, "messages could not be settled");
    }
}

fn source_message(delivery: adapter_embedded::Delivery) -> SourceMessage {
    let attempt = AmqpValue::Integer(delivery.message.attempt.into());
    SourceMessage {
        id: delivery.tag,
        redelivered: delivery.redelivered,
        properties: AmqpProperties {
            content_type: Some("application/json".to_owned()),
            delivery_mode: Some(2),
            message_id: Some(delivery.message.id),
            headers: Some([(ATTEMPT_HEADER.to_owned(), attempt)].into()),
            ..AmqpProperties::default()
        },
        data: delivery.message.body,
    }
}
