//! How a trigger calls a function: JSON bytes in, JSON bytes or a function error out.

pub mod asynchronous;
pub mod handler;
pub mod in_process;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use uuid::Uuid;

pub use asynchronous::AsyncInvoker;
pub use handler::{Context, FunctionError, Handler, Registry};
pub use in_process::InProcess;

/// A boxed future that can cross threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// Calls functions by name. In-process, process and remote invokers differ only here.
pub trait Invoker: Send + Sync + 'static {
    /// Invokes and waits (`RequestResponse`). The function's own timeout applies inside.
    ///
    /// Dropping the future does not stop the function: Lambda finishes what a caller gave up on.
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>>;

    /// Ready when no invocation runs any more, also those whose caller has gone. Called once, at the end.
    fn drain(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The request id that logs, replies and the function's context share.
    pub request_id: String,
    /// The event, as JSON.
    pub payload: Bytes,
}

impl Invocation {
    /// An invocation under a fresh request id.
    pub fn new(function: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { function: function.into(), request_id: Uuid::new_v4().to_string(), payload: payload.into() }
    }
}

/// Why there is no payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// No such function: the Invoke API's `ResourceNotFoundException`.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// The function ran and failed: the payload of `X-Amz-Function-Error: Unhandled`.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType`.
        error_type: String,
        /// `errorMessage`.
        message: String,
    },
    /// More than `ReservedConcurrentExecutions` at once: `TooManyRequestsException`.
    #[error("Rate Exceeded.")]
    Throttled,
}
