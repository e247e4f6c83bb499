//! The reasons why a request to the broker fails.

use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The connection broke, or the broker closed the channel.
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    #[error("the broker did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The broker returned a mandatory message: its queue does not exist.
    #[error("the queue {0} does not exist on the broker")]
    Unroutable(String),
    /// The broker answered with a nack.
    #[error("the broker rejected a message for the queue {0}")]
    Rejected(String),
    /// An AMQP short string has at most 255 bytes.
    #[error("a queue name or a message id is longer than 255 bytes")]
    TooLong,
}
