//! The interface to a broker, and its messages.

use std::collections::BTreeMap;
use std::future::Future;

/// One queue of one broker, consumed with manual acknowledgements.
///
/// A source never declares its queue. As on AWS the queue must exist, and a source waits for it.
pub trait Source: Send + 'static {
    /// The next message in queue order. Waits as long as it takes, also for a broker that cannot be reached.
    ///
    /// Cancel-safe: dropping the future loses no message. A message is unacknowledged until
    /// [`ack`](Source::ack), [`nack`](Source::nack) or [`close`](Source::close).
    fn next(&mut self) -> impl Future<Output = SourceMessage> + Send;

    /// Acknowledges the messages with these ids. Ids of a lost connection are ignored: the broker redelivers
    /// those messages.
    fn ack(&mut self, ids: &[u64]) -> impl Future<Output = ()> + Send;

    /// Rejects the messages with these ids. With `requeue` they return to the queue and are delivered again
    /// with `redelivered`; without it they go to the dead-letter exchange, if the queue has one.
    fn nack(&mut self, ids: &[u64], requeue: bool) -> impl Future<Output = ()> + Send;

    /// Stops consuming; unacknowledged messages return to the queue.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// One delivered message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceMessage {
    /// The source's own number of the delivery; it increases with every delivery.
    pub id: u64,
    /// Whether the broker delivered the message before.
    pub redelivered: bool,
    /// AMQP's `basic` properties.
    pub properties: AmqpProperties,
    /// The body.
    pub data: Vec<u8>,
}

/// AMQP 0-9-1 `basic` properties. An absent property is null in the event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AmqpProperties {
    /// `content-type`.
    pub content_type: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
    /// `headers`.
    pub headers: Option<BTreeMap<String, AmqpValue>>,
    /// `delivery-mode`: 1 transient, 2 persistent.
    pub delivery_mode: Option<u8>,
    /// `priority`, 0–9.
    pub priority: Option<u8>,
    /// `correlation-id`.
    pub correlation_id: Option<String>,
    /// `reply-to`.
    pub reply_to: Option<String>,
    /// `expiration`: milliseconds, as text.
    pub expiration: Option<String>,
    /// `message-id`.
    pub message_id: Option<String>,
    /// `timestamp`: Unix epoch seconds.
    pub timestamp: Option<u64>,
    /// `type`.
    pub kind: Option<String>,
    /// `user-id`.
    pub user_id: Option<String>,
    /// `app-id`.
    pub app_id: Option<String>,
    /// `cluster-id`.
    pub cluster_id: Option<String>,
}

/// A value of the `headers` table.
#[derive(Debug, Clone, PartialEq)]
pub enum AmqpValue {
    /// A short or long string, which may have any encoding.
    Text(Vec<u8>),
    /// A byte array, RabbitMQ's extension of AMQP.
    Bytes(Vec<u8>),
    /// An integer of any size.
    Integer(i64),
    /// A float, double or decimal.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A timestamp: Unix epoch seconds.
    Time(u64),
    /// An array.
    List(Vec<AmqpValue>),
    /// A nested table.
    Table(BTreeMap<String, AmqpValue>),
    /// The void value.
    Null,
}
