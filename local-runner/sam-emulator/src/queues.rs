//! The operator's view of the queues: how much each holds, and sending the dead back. Served at
//! `/_runner/queues` by a runner that is up, so that the command line can ask it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::invoke::BoxFuture;
use crate::mount::{Mount, Request, Response, json, message};
use crate::output::BoxError;
use crate::table::table;

/// Where a runner shows its queues: GET for the depths, POST to send the dead back first.
pub const PATH: &str = "/_runner/queues";

/// How much one queue holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Its name.
    pub queue: String,
    /// Messages that nobody has.
    pub ready: u64,
    /// Messages handed out and not settled, where the broker tells.
    pub unacked: u64,
}

/// Whoever knows the queues.
pub trait QueueDesk: Send + Sync + 'static {
    /// Every queue with its `.retry` and `.dead`.
    fn depths(&self) -> BoxFuture<Result<Vec<Depth>, BoxError>>;
    /// Sends everything from the `.dead` queues back; how many.
    fn replay_dead(&self) -> BoxFuture<Result<u64, BoxError>>;
}

/// What is told of the queues.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// How many were sent back, when that was asked for.
    pub replayed: Option<u64>,
    /// How much each holds now.
    pub queues: Vec<Depth>,
}

/// Asks the desk.
///
/// # Errors
/// What the broker says.
pub async fn report(desk: &dyn QueueDesk, replay_dead: bool) -> Result<Report, BoxError> {
    let replayed = if replay_dead { Some(desk.replay_dead().await?) } else { None };
    Ok(Report { replayed, queues: desk.depths().await? })
}

impl Report {
    /// For a person.
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

/// The desk on the port.
pub struct QueuesMount(pub Arc<dyn QueueDesk>);

impl Mount for QueuesMount {
    fn claims(&self, head: &Parts) -> bool {
        head.uri.path() == PATH
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let desk = Arc::clone(&self.0);
        Box::pin(async move {
            match report(&*desk, request.method() == Method::POST).await {
                Ok(report) => json(StatusCode::OK, serde_json::to_vec(&report).unwrap_or_default()),
                Err(error) => {
                    tracing::error!(%error, "the queues cannot be read");
                    message(StatusCode::SERVICE_UNAVAILABLE, "the queues cannot be read now")
                }
            }
        })
    }
}
