//! Outgoing calls: pushing to a socket, publishing to the broker, starting another function, and checking that a
//! store answers.

use async_trait::async_trait;

use crate::error::{Cause, StoreFailure};
use crate::id::ConnectionId;
use crate::ports::StoreResult;

/// Pushes to sockets: API Gateway's `@connections`.
#[async_trait]
pub trait Push: Send + Sync {
    /// Sends one text frame. `Ok` means that the gateway accepted it, not that the client received it. A repeat
    /// sends the frame again; so may a retry inside the adapter, after an answer that was lost.
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError>;
    /// Closes the socket; the client sees close code 1000. A repeat returns [`PushError::Gone`].
    async fn close(&self, id: &ConnectionId) -> Result<(), PushError>;
}

/// Why a push failed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// 410: the connection does not exist any more, or not yet, because `$connect` has not returned.
    #[error("the connection is gone")]
    Gone,
    /// 413: the frame is larger than 128 KB.
    #[error("the frame is larger than 128 KB")]
    TooLarge,
    /// 429: the connection's send buffer is full. The same push may succeed later.
    #[error("the client is too slow; its send buffer is full")]
    Busy,
    /// Any other status, or no answer. It is unknown whether the client receives the frame.
    #[error("the gateway did not accept the frame")]
    Failed(#[source] Cause),
}

/// A message for the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The AMQP `message-id`; at most 255 bytes.
    pub id: String,
    /// The body, JSON.
    pub body: Vec<u8>,
    /// How often consumers have failed on it: the AMQP header `x-attempt`.
    pub attempt: u32,
}

/// Publishes to durable queues, with publisher confirms: `Ok` means that the broker has stored every message on
/// disk. After an error, some or all may be stored. A repeat publishes them again, so consumers must recognise
/// duplicates.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Publishes persistent messages to `queue`, in order. Does nothing for an empty list.
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()>;
    /// Publishes a failed job to `<queue>.retry`, from where it returns to `queue` after the delay for its
    /// `attempt` ([`crate::retry`]).
    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()>;
    /// Publishes a job that is not to be retried to `<queue>.dead`, with the reason for operators.
    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()>;
}

/// Starts functions: Lambda's asynchronous invoke.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Queues an event for another function (`InvocationType: Event`); does not wait until it has run. The function
    /// may run more than once for one event, also without a repeat of this call.
    async fn start(&self, function: &str, event: &serde_json::Value) -> StoreResult<()>;
}

/// Checks that a store answers.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Sends the store a cheap request and waits a few seconds at most for the answer.
    async fn check(&self) -> Result<(), StoreFailure>;
}
