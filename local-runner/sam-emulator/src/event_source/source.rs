//! What the poller asks of a broker, and a message as every broker gives it.

use std::collections::BTreeMap;
use std::future::Future;

/// One queue of one broker, consumed with manual acknowledgements.
///
/// A source never declares its queue: as on AWS the queue must exist, and a source waits for it.
pub trait Source: Send + 'static {
    /// The next message, in queue order, however long it takes; a broker that is away is waited for.
    ///
    /// Cancel-safe: dropping the future loses no message. A message given out stays unacknowledged
    /// until it is settled, or until the source closes.
    fn next(&mut self) -> impl Future<Output = Delivery> + Send;

    /// Acknowledges the messages with these ids. Ids of a connection that broke since are passed over:
    /// the broker gives those messages out again.
    fn ack(&mut self, ids: &[u64]) -> impl Future<Output = ()> + Send;

    /// Gives the messages up: back to the queue with `requeue`, where they come again with `redelivered`,
    /// and otherwise to the dead-letter exchange or to nowhere.
    fn nack(&mut self, ids: &[u64], requeue: bool) -> impl Future<Output = ()> + Send;

    /// Ends the consumer; whatever is unacknowledged returns to the queue.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// One message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivery {
    /// The source's own number for it; grows with every delivery.
    pub id: u64,
    /// Whether the broker has given it out before.
    pub redelivered: bool,
    /// AMQP's `basic` properties.
    pub properties: Properties,
    /// The body.
    pub data: Vec<u8>,
}

/// AMQP 0-9-1 `basic` properties; absent ones are null in the event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties {
    /// `content-type`.
    pub content_type: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
    /// `headers`.
    pub headers: Option<BTreeMap<String, HeaderValue>>,
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

/// A value in the `headers` table.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// Text, of any encoding.
    Text(Vec<u8>),
    /// A byte array (RabbitMQ's own type).
    Bytes(Vec<u8>),
    /// Any whole number.
    Integer(i64),
    /// A float, double or decimal.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// Unix epoch seconds.
    Time(u64),
    /// An array.
    List(Vec<HeaderValue>),
    /// A table in the table.
    Table(BTreeMap<String, HeaderValue>),
    /// No value.
    Null,
}
