//! Ways out: pushing to a socket, publishing to the broker, starting another function, asking a store
//! whether it is well.

use async_trait::async_trait;

use crate::error::{Cause, StoreFailure};
use crate::id::ConnectionId;
use crate::ports::StoreResult;

/// API Gateway's `@connections`.
#[async_trait]
pub trait Push: Send + Sync {
    /// Posts one text frame.
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError>;
    /// Deletes the connection: the peer sees close 1000.
    async fn close(&self, id: &ConnectionId) -> Result<(), PushError>;
}

/// Why a push did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// 410: not yet there, or gone.
    #[error("the connection is gone")]
    Gone,
    /// 413: over 128 KB.
    #[error("the frame is too large")]
    TooLarge,
    /// 429: the client reads too slowly, or too much at once.
    #[error("the connection takes no more now")]
    Busy,
    /// Anything else.
    #[error("the gateway did not take the frame")]
    Failed(#[source] Cause),
}

/// A message for the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// AMQP `message-id`.
    pub id: String,
    /// The body, JSON.
    pub body: Vec<u8>,
    /// How often a consumer has failed on it already.
    pub attempt: u32,
}

/// RabbitMQ, with publisher confirms: `Ok` means that the broker has it on disk.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Publishes persistent messages to a durable queue; all confirmed, or an error.
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()>;
    /// Parks a failed job on `<queue>.retry` for the delay that its attempt earns.
    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()>;
    /// Lays a hopeless job to rest on `<queue>.dead`, with the reason.
    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()>;
}

/// Lambda's asynchronous invoke.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Queues an event for another function (`InvocationType: Event`) and does not wait for it.
    async fn start(&self, function: &str, event: &serde_json::Value) -> StoreResult<()>;
}

/// A store's own word on how it is.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Answers within a short bound.
    async fn check(&self) -> Result<(), StoreFailure>;
}
