//! How a trigger calls a function: JSON bytes in, JSON bytes or an error out.
//!
//! In the order of reading: [`handler`] (a function in this process), [`in_process`] (the invoker that calls
//! it under Lambda's limits), [`remote`] (the invoker that forwards to another Invoke API), [`asynchronous`]
//! (the queue of `InvocationType: Event`). The invoker that runs each function in a process of its own is
//! [`crate::process`].

pub mod asynchronous;
pub mod handler;
pub mod in_process;
mod log_tail;
pub mod remote;
pub(crate) mod report;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use uuid::Uuid;

pub use asynchronous::AsyncInvoker;
pub use handler::{Context, FunctionError, Handler, Registry};
pub use in_process::InProcess;
pub use log_tail::LogTail;
pub use remote::Remote;

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
    /// `X-Amz-Client-Context`, decoded: JSON for the function's context.
    pub client_context: Option<String>,
    /// Receives the end of the function's log (`X-Amz-Log-Type: Tail`), if the caller asks for it.
    pub log_tail: Option<LogTail>,
}

impl Invocation {
    /// An invocation with a new request id.
    pub fn new(function: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            function: function.into(),
            request_id: Uuid::new_v4().to_string(),
            payload: payload.into(),
            client_context: None,
            log_tail: None,
        }
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
        /// The whole body that the function's runtime posted, with its stack trace; `None` when there is no
        /// more than the two fields above.
        payload: Option<Bytes>,
    },
    /// `ReservedConcurrentExecutions` invocations run already: `TooManyRequestsException`.
    #[error("Rate Exceeded.")]
    Throttled,
}

impl InvokeError {
    /// The body of a response with `X-Amz-Function-Error`; `None` when the function did not run.
    #[must_use]
    pub fn function_payload(&self) -> Option<Bytes> {
        match self {
            Self::Function { payload: Some(payload), .. } => Some(payload.clone()),
            Self::Function { error_type, message, payload: None } => {
                Some(FunctionError::new(error_type.as_str(), message.as_str()).payload().into())
            }
            Self::NotFound(_) | Self::Throttled => None,
        }
    }
}
