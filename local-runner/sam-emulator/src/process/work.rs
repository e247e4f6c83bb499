//! What passes between the owner of a function and its instances.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure::InitFailure;
use crate::invoke::{Invocation, InvokeError};

/// One invocation on its way to an instance.
pub(super) struct Work {
    pub(super) call: Invocation,
    pub(super) reply: Reply,
    /// Set when the initialization is repeated within the function's timeout.
    pub(super) deadline: Option<Instant>,
}

/// Where the caller waits; it may have stopped waiting.
pub(super) type Reply = oneshot::Sender<InvokeResult>;
pub(super) type InvokeResult = Result<Bytes, InvokeError>;

/// How an instance ended.
#[derive(Default)]
pub(super) struct Ended {
    /// Work that never reached the process.
    pub(super) returned: Vec<Work>,
    /// The instance never got to its first event.
    pub(super) init_failure: Option<InitFailure>,
}

/// Order of an instance from its function's owner.
pub(super) struct Orders {
    pub(super) works: mpsc::UnboundedReceiver<Work>,
    pub(super) stop: CancellationToken,
    pub(super) init_limit: Duration,
}
