//! The embedded queue in place of RabbitMQ, as the runner's event source wants it.

use std::collections::VecDeque;
use std::time::Duration;

use adapter_embedded::Embedded;
use futures::future::{BoxFuture, FutureExt as _, ready};
use sam_emulator::event_source::{AmqpProperties, AmqpValue, Source, SourceMessage};
use shared::error::StoreError;
use shared::lambda::queue::ATTEMPT_HEADER;
use shared::ports::StoreResult;
use tokio::task::JoinHandle;

/// How many messages are taken from the store at once.
const PREFETCH: u32 = 250;
/// How often it looks for what `.retry` has released.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the store hands out, and what says that there is more.
type Received = (StoreResult<Vec<adapter_embedded::Delivery>>, BoxFuture<'static, ()>);

/// The embedded queue as the event source wants it.
pub struct EmbeddedSource {
    store: &'static Embedded,
    queue: String,
    ready: VecDeque<adapter_embedded::Delivery>,
    /// Stays when `next` is given up: the store hands out what was asked for, whoever still listens, and what
    /// nobody heard of would lie there until the next start.
    receiving: Option<JoinHandle<Received>>,
}

impl EmbeddedSource {
    /// Takes from one queue of the store.
    pub fn new(store: &'static Embedded, queue: String) -> Self {
        Self { store, queue, ready: VecDeque::new(), receiving: None }
    }

    /// Cancel-safe: what is under way is waited for by the next call.
    async fn receive(&mut self) -> Received {
        let (store, queue) = (self.store, &self.queue);
        let receiving = self.receiving.get_or_insert_with(|| {
            let queue = queue.clone();
            tokio::spawn(async move {
                // Taken before the look, so that nothing slips between.
                let published = store.published().boxed();
                (store.receive(&queue, PREFETCH).await, published)
            })
        });
        let received = receiving.await;
        self.receiving = None;
        received.unwrap_or_else(|died| (Err(StoreError::down("embedded", died)), ready(()).boxed()))
    }
}

impl Source for EmbeddedSource {
    async fn next(&mut self) -> SourceMessage {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return translated(delivery);
            }
            let (received, published) = self.receive().await;
            match received {
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

    async fn close(mut self) {
        if self.receiving.is_some()
            && let (Ok(batch), _) = self.receive().await
        {
            self.ready.extend(batch);
        }
        let rest: Vec<u64> = self.ready.iter().map(|delivery| delivery.tag).collect();
        settled(&self.queue, self.store.nack(&rest).await);
    }
}

/// What could not be settled comes again at the next start, which every consumer must expect anyway.
fn settled(queue: &str, done: StoreResult<()>) {
    if let Err(error) = done {
        tracing::warn!(queue, %error, "messages could not be settled");
    }
}

fn translated(delivery: adapter_embedded::Delivery) -> SourceMessage {
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
