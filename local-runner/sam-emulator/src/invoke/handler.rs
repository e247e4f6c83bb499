//! A function of this process: an async call on bytes, registered under the function's name.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::{BoxFuture, Invocation, InvokeError};

/// What Lambda passes to a function besides the event: headers of the Runtime API's `GET /invocation/next`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// `Lambda-Runtime-Aws-Request-Id`: a UUID.
    pub request_id: String,
    /// `Lambda-Runtime-Deadline-Ms`: the time at which the function times out, in Unix epoch milliseconds.
    pub deadline_ms: u64,
}

/// The error of a function: what a runtime posts to `/invocation/{id}/error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// `errorType`, like `Runtime.ExitError`.
    #[serde(rename = "errorType")]
    pub error_type: String,
    /// `errorMessage`.
    #[serde(rename = "errorMessage")]
    pub message: String,
}

impl FunctionError {
    /// An error with this `errorType` and `errorMessage`.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), message: message.into() }
    }

    /// The error of a function that did not reply within its timeout.
    #[must_use]
    pub fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        let message = format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
        Self::new("Sandbox.Timedout", message)
    }

    /// The error of a reply that is larger than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        let message = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self::new("Function.ResponseSizeTooLarge", message)
    }

    /// The JSON body of a response with `X-Amz-Function-Error`.
    #[must_use]
    pub fn payload(&self) -> String {
        // Serializing two strings cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<FunctionError> for InvokeError {
    fn from(error: FunctionError) -> Self {
        Self::Function { error_type: error.error_type, message: error.message, payload: None }
    }
}

/// The entry point of one function: takes the event, returns the reply's JSON or an error.
pub type Handler = Arc<dyn Fn(Invocation, Context) -> BoxFuture<Result<Bytes, FunctionError>> + Send + Sync>;

/// The functions of this process by name.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: BTreeMap<String, Handler>,
}

impl Registry {
    /// Registers `call` as the function `name`. A second registration under a name replaces the first.
    pub fn add<C, F>(&mut self, name: impl Into<String>, call: C)
    where
        C: Fn(Invocation, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, FunctionError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |invocation, context| Box::pin(call(invocation, context)));
        self.handlers.insert(name.into(), handler);
    }

    /// The handler of the function `name`; `None` when it is not registered.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Handler> {
        self.handlers.get(name)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}
