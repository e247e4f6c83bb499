//! A function as the in-process invoker sees it: an async call on bytes, found by the function's name.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::{BoxFuture, Invocation, InvokeError};

/// What Lambda's context tells a function besides the event (Runtime API, `GET /invocation/next` headers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// `Lambda-Runtime-Aws-Request-Id`: a UUID.
    pub request_id: String,
    /// `Lambda-Runtime-Deadline-Ms`: the moment of the timeout, in Unix epoch milliseconds.
    pub deadline_ms: u64,
    /// `Lambda-Runtime-Invoked-Function-Arn`.
    pub invoked_function_arn: String,
    /// `MemorySize` in MB.
    pub memory_mb: u32,
}

/// A function's own failure: what the runtime posts to `/invocation/{id}/error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// `errorType`.
    #[serde(rename = "errorType")]
    pub error_type: String,
    /// `errorMessage`.
    #[serde(rename = "errorMessage")]
    pub message: String,
}

impl FunctionError {
    /// A failure of the given type.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), message: message.into() }
    }

    /// The payload of an answer with `X-Amz-Function-Error`.
    #[must_use]
    pub fn payload(&self) -> String {
        // Two strings always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<FunctionError> for InvokeError {
    fn from(error: FunctionError) -> Self {
        Self::Function { error_type: error.error_type, message: error.message }
    }
}

/// One function's entry point: the event in, the reply JSON or a function error out.
pub type Handler = Arc<dyn Fn(Invocation, Context) -> BoxFuture<Result<Bytes, FunctionError>> + Send + Sync>;

/// The functions that live in this process, by name.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: BTreeMap<String, Handler>,
}

impl Registry {
    /// Registers `call` as the function `name`; a second registration replaces the first.
    pub fn add<C, F>(&mut self, name: impl Into<String>, call: C)
    where
        C: Fn(Invocation, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, FunctionError>> + Send + 'static,
    {
        self.insert(name, Arc::new(move |invocation, context| Box::pin(call(invocation, context))));
    }

    /// Registers a handler that is boxed already.
    pub fn insert(&mut self, name: impl Into<String>, handler: Handler) {
        self.handlers.insert(name.into(), handler);
    }

    /// The handler of the function `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Handler> {
        self.handlers.get(name)
    }

    /// The registered names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.handlers.keys().map(String::as_str)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}
