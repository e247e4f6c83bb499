//! A test's own queues, deleted when the test ends.

use std::time::Duration;

use adapter_rabbitmq::{Config, RabbitMq};
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use shared::id::Entropy;
use shared::ports::OutboxMessage;
use test_support::server_url;

/// Short delays; the first one expires well before the second one.
pub(crate) const DELAYS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(60)];

/// The adapter with a queue of its own, and a plain channel to look behind it.
pub(crate) struct World {
    pub(crate) rabbit: RabbitMq,
    pub(crate) url: String,
    pub(crate) queue: String,
    delays: Vec<Duration>,
    connection: Connection,
}

/// A message as it lies in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) attempt: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) persistent: bool,
    pub(crate) redelivered: bool,
}

impl World {
    /// A world whose first retry is quick. `None`, loudly, when no broker is configured.
    pub(crate) async fn new() -> Option<Self> {
        Self::with_delays(&DELAYS).await
    }

    /// A world that waits as long as the real one does.
    pub(crate) async fn with_real_delays() -> Option<Self> {
        Self::with_delays(&[10, 30, 120, 600].map(Duration::from_secs)).await
    }

    async fn with_delays(delays: &[Duration]) -> Option<Self> {
        let url = server_url("AMQP_URL")?;
        let queue = format!("test-{:x}", Entropy::default().bits());
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let rabbit = rabbit(&url, delays);
        Some(Self { rabbit, url, queue, delays: delays.to_vec(), connection })
    }

    /// The broker's `host:port`.
    pub(crate) fn broker(&self) -> String {
        let uri: lapin::uri::AMQPUri = self.url.parse().unwrap();
        format!("{}:{}", uri.authority.host, uri.authority.port)
    }

    /// The adapter again.
    pub(crate) fn adapter(&self) -> RabbitMq {
        rabbit(&self.url, &self.delays)
    }

    /// The adapter again, over another address.
    pub(crate) fn through(&self, address: std::net::SocketAddr) -> RabbitMq {
        rabbit(&self.url.replace(&self.broker(), &address.to_string()), &self.delays)
    }

    pub(crate) async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    /// Takes the oldest message of one of this world's queues (`""`, `.retry`, …); `None` when there is none.
    pub(crate) async fn take(&self, suffix: &str) -> Option<Found> {
        self.take_from(&format!("{}{suffix}", self.queue)).await
    }

    /// Takes the oldest message of a queue.
    pub(crate) async fn take_from(&self, queue: &str) -> Option<Found> {
        let channel = self.channel().await;
        let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap()?;
        got.ack(BasicAckOptions::default()).await.unwrap();
        Some(Found::of(&got))
    }

    /// Takes the oldest message as soon as there is one, within five seconds.
    pub(crate) async fn wait_for(&self, suffix: &str) -> Found {
        for _ in 0..500 {
            if let Some(found) = self.take(suffix).await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing arrived in {}{suffix}", self.queue);
    }

    /// Looks at the oldest message and lets it go again, as a consumer that fails.
    pub(crate) async fn fail_on(&self, suffix: &str) -> Found {
        let channel = self.channel().await;
        let name = format!("{}{suffix}", self.queue);
        let got = channel.basic_get(name.into(), BasicGetOptions::default()).await.unwrap().unwrap();
        got.nack(BasicNackOptions { requeue: true, ..Default::default() }).await.unwrap();
        Found::of(&got)
    }

    /// How much lies in each queue, without the names' common beginning.
    pub(crate) async fn depths(&self) -> Vec<(String, u32)> {
        let depths = self.rabbit.queues(&self.queue).await.unwrap();
        depths.into_iter().map(|d| (d.queue[self.queue.len()..].to_owned(), d.messages)).collect()
    }

    /// Declares a queue with other arguments than the adapter would.
    pub(crate) async fn declare_otherwise(&self, suffix: &str) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1_000));
        let name = format!("{}{suffix}", self.queue);
        let channel = self.channel().await;
        channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    }

    /// Deletes one queue.
    pub(crate) async fn delete(&self, suffix: &str) {
        self.delete_named(&format!("{}{suffix}", self.queue)).await;
    }

    /// Deletes a queue of any name.
    pub(crate) async fn delete_named(&self, queue: &str) {
        self.channel().await.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// Deletes all queues of this world. A test that panics leaves its queues; their names say whose they were.
    pub(crate) async fn end(self) {
        for suffix in ["", ".retry", ".retry.2", ".dead"] {
            self.delete(suffix).await;
        }
    }
}

impl Found {
    fn of(delivery: &lapin::message::Delivery) -> Self {
        let properties = &delivery.properties;
        let header = |name: &str| properties.headers().as_ref().and_then(|h| h.inner().get(name)).cloned();
        Self {
            id: properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
            body: delivery.data.clone(),
            attempt: header("x-attempt").and_then(|value| value.as_long_int()),
            reason: header("x-reason").and_then(|value| Some(value.as_long_string()?.to_string())),
            persistent: *properties.delivery_mode() == Some(2),
            redelivered: delivery.redelivered,
        }
    }
}

fn rabbit(url: &str, delays: &[Duration]) -> RabbitMq {
    RabbitMq::new(Config::new(url).unwrap().with_retry_delays(delays))
}

/// A job that has failed so often.
pub(crate) fn job(id: &str, attempt: u32) -> OutboxMessage {
    OutboxMessage { id: id.to_owned(), body: format!("{{\"job\":\"{id}\"}}").into_bytes(), attempt }
}
