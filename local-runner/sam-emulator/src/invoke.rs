//! How a trigger calls a function: JSON bytes in, JSON bytes or an error out.
//!
//! In the order of reading: [`handler`] (a function in this process), [`in_process`] (the invoker that calls
//! it under Lambda's limits), [`asynchronous`] (the queue of `InvocationType: Event`).

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

/// A boxed future that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// Calls functions by name.
pub trait Invoker: Send + Sync + 'static {
    /// Invokes a function and waits for its reply (`InvocationType: RequestResponse`). The function's own
    /// timeout applies.
    ///
    /// As on Lambda, dropping the future does not stop the function.
    ///
    /// # Errors
    /// [`InvokeError`]: the function does not exist, failed, or is throttled.
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>>;

    /// Waits until no invocation runs, including those whose caller stopped waiting. Called once, at
    /// shutdown.
    fn drain(&self) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
}

/// One invocation of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// Lambda's request id, a UUID: it is in the log lines, the reply and the function's context.
    pub request_id: String,
    /// The event as JSON.
    pub payload: Bytes,
}

impl Invocation {
    /// An invocation with a new request id.
    pub fn new(function: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { function: function.into(), request_id: Uuid::new_v4().to_string(), payload: payload.into() }
    }
}

/// Why an invocation returned no payload. The texts are Lambda's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function does not exist: the Invoke API's `ResourceNotFoundException`.
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
    /// `ReservedConcurrentExecutions` invocations run already: `TooManyRequestsException`.
    #[error("Rate Exceeded.")]
    Throttled,
}
