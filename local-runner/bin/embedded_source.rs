//! The embedded queue in place of RabbitMQ, as the runner's event source wants it.

use std::collections::VecDeque;
use std::time::Duration;

use adapter_embedded::Embedded;
use local_runner::event_source::{Delivery, HeaderValue, Properties, Source};
use shared::lambda::queue::ATTEMPT_HEADER;
use shared::ports::Stored;

/// How many messages are taken from the store at once.
const PREFETCH: u32 = 250;
/// How often it looks for what `.retry` has released.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The embedded queue as the event source wants it.
pub(crate) struct EmbeddedSource {
    store: &'static Embedded,
    queue: String,
    ready: VecDeque<adapter_embedded::Delivery>,
}

impl EmbeddedSource {
    /// Takes from one queue of the store.
    pub(crate) fn new(store: &'static Embedded, queue: String) -> Self {
        Self { store, queue, ready: VecDeque::new() }
    }
}

impl Source for EmbeddedSource {
    async fn next(&mut self) -> Delivery {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return translated(delivery);
            }
            let published = self.store.published();
            match self.store.receive(&self.queue, PREFETCH).await {
                Ok(batch) if !batch.is_empty() => self.ready.extend(batch),
                Ok(_) => {
                    // Either way it looks again.
                    let _ = tokio::time::timeout(LOOK_AGAIN, published).await;
                }
                Err(error) => {
                    tracing::warn!(queue = self.queue, %error, "the queue cannot be read");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        settled(&self.queue, self.store.ack(ids).await);
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        let done = if requeue { self.store.nack(ids).await } else { self.store.ack(ids).await };
        settled(&self.queue, done);
    }

    async fn close(self) {
        let rest: Vec<u64> = self.ready.iter().map(|delivery| delivery.tag).collect();
        settled(&self.queue, self.store.nack(&rest).await);
    }
}

/// What could not be settled comes again at the next start, which every consumer must expect anyway.
fn settled(queue: &str, done: Stored<()>) {
    if let Err(error) = done {
        tracing::warn!(queue, %error, "messages could not be settled");
    }
}

fn translated(delivery: adapter_embedded::Delivery) -> Delivery {
    let attempt = HeaderValue::Integer(delivery.message.attempt.into());
    Delivery {
        id: delivery.tag,
        redelivered: delivery.redelivered,
        properties: Properties {
            content_type: Some("application/json".to_owned()),
            delivery_mode: Some(2),
            message_id: Some(delivery.message.id),
            headers: Some([(ATTEMPT_HEADER.to_owned(), attempt)].into()),
            ..Properties::default()
        },
        data: delivery.message.body,
    }
}
