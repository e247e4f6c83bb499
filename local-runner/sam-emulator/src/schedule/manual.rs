//! Manual runs: a run that the command `fire` has done is recorded, so that it is not reported as missed. The
//! state file belongs to the trigger of the emulator that serves. The command sends the run to that emulator,
//! or writes the file itself when none serves.

use std::net::SocketAddr;

use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use crate::body;
use crate::endpoint::{Audience, Endpoint, Request, Response, json, message};
use crate::invoke::BoxFuture;

/// The path of [`ManualRunEndpoint`]: POST with the JSON of a [`ManualRun`].
pub const PATH: &str = "/_runner/fired";

/// Bytes of a request body; every [`ManualRun`] is smaller.
const MAX_BODY: usize = 4_096;

/// A run that was fired manually and has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualRun {
    /// The schedule's name.
    pub schedule: String,
    /// The scheduled time of the run.
    #[serde(with = "super::state::rfc3339")]
    pub at: Timestamp,
}

impl ManualRun {
    /// Whether the run replaces one that was missed. A run with a scheduled time after `now` does not: the
    /// schedule itself will run at that time.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.at <= now
    }
}

/// Receives manual runs at [`PATH`] and passes them to the trigger.
pub struct ManualRunEndpoint(pub UnboundedSender<ManualRun>);

impl Endpoint for ManualRunEndpoint {
    fn audience(&self, _head: &Parts) -> Audience {
        Audience::Management
    }

    fn matches(&self, head: &Parts) -> bool {
        head.uri.path() == PATH
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let trigger = self.0.clone();
        Box::pin(async move {
            if request.method() != Method::POST {
                return message(StatusCode::METHOD_NOT_ALLOWED, "use POST to record a manual run");
            }
            let (head, body) = request.into_parts();
            let body = body::read(&head.headers, body, MAX_BODY).await.ok();
            let Some(run) = body.and_then(|body| serde_json::from_slice::<ManualRun>(&body.bytes).ok())
            else {
                return message(StatusCode::BAD_REQUEST, "the body must be {schedule, at}");
            };
            match trigger.send(run) {
                Ok(()) => json(StatusCode::ACCEPTED, "{}"),
                Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "the schedules have stopped"),
            }
        })
    }
}
