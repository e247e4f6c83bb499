//! What may go wrong between us and the broker.

use std::time::Duration;

/// Why the broker did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The connection or the protocol.
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The broker knows no such queue.
    #[error("the broker has no queue {0}")]
    Unroutable(String),
    /// The broker did not take the message.
    #[error("the broker refused a message for {0}")]
    Refused(String),
    /// AMQP's short strings end at 255 bytes.
    #[error("a queue's name or a message's id is longer than 255 bytes")]
    TooLong,
}
