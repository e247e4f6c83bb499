//! Administration of the queues: how many messages each has, and sending dead letters back. Served at
//! `/_runner/queues` by a running emulator, so that the command line can use it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::endpoint::{Audience, Endpoint, Request, Response, json, message};
use crate::invoke::BoxFuture;
use crate::output::BoxError;
use crate::table::table;

/// The path of [`QueuesEndpoint`]: GET returns a [`QueueReport`]; POST first sends the dead letters back.
pub const PATH: &str = "/_runner/queues";

/// The number of messages in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// The queue's name, with `.retry` or `.dead` for the queues beside it.
    pub queue: String,
    /// Messages that wait for a consumer.
    pub ready: u64,
    /// Messages delivered and not yet acknowledged; 0 where the broker does not report it.
    pub unacked: u64,
}

/// Access to the queues of the broker in use; the application implements it.
pub trait QueueAdmin: Send + Sync + 'static {
    /// The depth of every queue and of its `.retry` and `.dead` queues.
    ///
    /// # Errors
    /// The broker cannot be reached.
    fn depths(&self) -> BoxFuture<Result<Vec<QueueDepth>, BoxError>>;

    /// Moves every message of the `.dead` queues back to its queue and returns the number moved.
    ///
    /// # Errors
    /// The broker cannot be reached.
    fn replay_dead(&self) -> BoxFuture<Result<u64, BoxError>>;
}

/// The result of [`report`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueReport {
    /// The number of dead letters sent back; `None` when that was not requested.
    pub replayed: Option<u64>,
    /// The depths afterwards.
    pub queues: Vec<QueueDepth>,
}

/// Reads the depths; with `replay_dead`, sends the dead letters back first.
///
/// # Errors
/// The broker cannot be reached.
pub async fn report(admin: &dyn QueueAdmin, replay_dead: bool) -> Result<QueueReport, BoxError> {
    let replayed = if replay_dead { Some(admin.replay_dead().await?) } else { None };
    Ok(QueueReport { replayed, queues: admin.depths().await? })
}

impl QueueReport {
    /// The report as a table for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let rows: Vec<_> = self
            .queues
            .iter()
            .map(|depth| [depth.queue.clone(), depth.ready.to_string(), depth.unacked.to_string()])
            .collect();
        let replayed = self.replayed.map(|n| format!("sent back from .dead: {n}\n")).unwrap_or_default();
        replayed + &table(["QUEUE", "READY", "UNACKED"], &rows)
    }
}

/// Serves [`report`] at [`PATH`].
pub struct QueuesEndpoint(pub Arc<dyn QueueAdmin>);

impl Endpoint for QueuesEndpoint {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        head.uri.path() == PATH
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let admin = Arc::clone(&self.0);
        Box::pin(async move {
            match report(&*admin, request.method() == Method::POST).await {
                Ok(report) => json(StatusCode::OK, serde_json::to_vec(&report).unwrap_or_default()),
                Err(error) => {
                    tracing::error!(%error, "cannot read the queues");
                    message(StatusCode::SERVICE_UNAVAILABLE, "the queues cannot be read now")
                }
            }
        })
    }
}
