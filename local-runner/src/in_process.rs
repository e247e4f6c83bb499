//! Ports that stay within this process: pushing to the gateway's connections, and Lambda's asynchronous invoke.

use async_trait::async_trait;
use bytes::Bytes;
use sam_emulator::invoke::Invocation;
use sam_emulator::invoke::asynchronous::AsyncInvoker;
use sam_emulator::websocket::{Connections, PostError};
use serde_json::Value;
use shared::error::StoreError;
use shared::id::ConnectionId;
use shared::ports::{Functions, Push, PushError, StoreResult};

/// Lambda's asynchronous invoke, in this process.
pub(crate) struct InProcessFunctions(pub(crate) AsyncInvoker);

#[async_trait]
impl Functions for InProcessFunctions {
    async fn start(&self, function: &str, event: &Value) -> StoreResult<()> {
        let payload = serde_json::to_vec(event).map_err(|e| StoreError::Corrupt("lambda", Box::new(e)))?;
        self.0.enqueue(Invocation::new(function, Bytes::from(payload)));
        Ok(())
    }
}

/// `@connections`, in this process.
pub(crate) struct InProcessPush(pub(crate) Connections);

#[async_trait]
impl Push for InProcessPush {
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        self.0.post(id.as_str(), frame.to_owned()).await.map_err(|error| match error {
            PostError::Gone => PushError::Gone,
            PostError::TooLarge => PushError::TooLarge,
            PostError::LimitExceeded => PushError::Busy,
        })
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        self.0.delete(id.as_str()).await.map_err(|_| PushError::Gone)
    }
}
