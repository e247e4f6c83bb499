//! Queues of its own for each test, on the broker of `AMQP_URL`. The test deletes them when it ends.

use std::time::Duration;

use adapter_rabbitmq::{Config, RabbitMq};
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use shared::id::Entropy;
use shared::ports::OutboxMessage;
use shared::retry::RETRY_DELAYS;
use test_support::server_url;

/// The first delay ends within a test, the second does not.
pub(crate) const DELAYS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(60)];

/// The adapter with its own job queue, and direct access to the broker.
pub(crate) struct TestBroker {
    pub(crate) rabbit: RabbitMq,
    pub(crate) url: String,
    pub(crate) queue: String,
    delays: Vec<Duration>,
    connection: Connection,
}

/// A message as the broker stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) attempt: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) persistent: bool,
    pub(crate) redelivered: bool,
}

impl TestBroker {
    /// Uses [`DELAYS`]. Prints a notice and returns `None` when no broker is configured.
    pub(crate) async fn new() -> Option<Self> {
        Self::with_delays(&DELAYS).await
    }

    /// Uses the delays of production.
    pub(crate) async fn with_real_delays() -> Option<Self> {
        Self::with_delays(&RETRY_DELAYS).await
    }

    async fn with_delays(delays: &[Duration]) -> Option<Self> {
        let url = server_url("AMQP_URL")?;
        let queue = format!("test-{:x}", Entropy::default().bits());
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let rabbit = rabbit(&url, delays);
        Some(Self { rabbit, url, queue, delays: delays.to_vec(), connection })
    }

    /// The broker's `host:port`.
    pub(crate) fn address(&self) -> String {
        let uri: lapin::uri::AMQPUri = self.url.parse().unwrap();
        format!("{}:{}", uri.authority.host, uri.authority.port)
    }

    /// A second adapter with the same settings.
    pub(crate) fn adapter(&self) -> RabbitMq {
        rabbit(&self.url, &self.delays)
    }

    /// A second adapter that connects to `address`.
    pub(crate) fn through(&self, address: std::net::SocketAddr) -> RabbitMq {
        rabbit(&self.url.replace(&self.address(), &address.to_string()), &self.delays)
    }

    pub(crate) async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    /// Takes the oldest message of this test's queue with the suffix (`""`, `.retry`, …).
    pub(crate) async fn take(&self, suffix: &str) -> Option<StoredMessage> {
        self.take_from(&format!("{}{suffix}", self.queue)).await
    }

    /// Takes the oldest message of a queue.
    pub(crate) async fn take_from(&self, queue: &str) -> Option<StoredMessage> {
        let channel = self.channel().await;
        let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap()?;
        got.ack(BasicAckOptions::default()).await.unwrap();
        Some(StoredMessage::of(&got))
    }

    /// Takes the oldest message; waits for one for up to five seconds.
    pub(crate) async fn wait_for(&self, suffix: &str) -> StoredMessage {
        for _ in 0..500 {
            if let Some(found) = self.take(suffix).await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing arrived in {}{suffix}", self.queue);
    }

    /// Takes the oldest message and returns it to its queue, as a failing consumer does.
    pub(crate) async fn take_and_requeue(&self, suffix: &str) -> StoredMessage {
        let channel = self.channel().await;
        let name = format!("{}{suffix}", self.queue);
        let got = channel.basic_get(name.into(), BasicGetOptions::default()).await.unwrap().unwrap();
        got.nack(BasicNackOptions { requeue: true, ..Default::default() }).await.unwrap();
        StoredMessage::of(&got)
    }

    /// The number of messages per queue suffix.
    pub(crate) async fn depths(&self) -> Vec<(String, u32)> {
        let depths = self.rabbit.queues(&self.queue).await.unwrap();
        depths.into_iter().map(|d| (d.queue[self.queue.len()..].to_owned(), d.messages)).collect()
    }

    /// Declares a queue with arguments that differ from the adapter's.
    pub(crate) async fn declare_with_other_arguments(&self, suffix: &str) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1_000));
        let name = format!("{}{suffix}", self.queue);
        let channel = self.channel().await;
        channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    }

    pub(crate) async fn delete(&self, suffix: &str) {
        self.delete_named(&format!("{}{suffix}", self.queue)).await;
    }

    pub(crate) async fn delete_named(&self, queue: &str) {
        self.channel().await.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// Deletes this test's queues. A test that panics leaves them behind; their names begin with `test-`.
    pub(crate) async fn delete_queues(self) {
        for suffix in ["", ".retry", ".retry.2", ".dead"] {
            self.delete(suffix).await;
        }
    }
}

impl StoredMessage {
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

/// A job that has failed `attempt` times.
pub(crate) fn job(id: &str, attempt: u32) -> OutboxMessage {
    OutboxMessage { id: id.to_owned(), body: format!("{{\"job\":\"{id}\"}}").into_bytes(), attempt }
}
