//! Runs fired by hand: remembered, so that a missed run that was made up for is not reported again. The state
//! belongs to the trigger of the runner that serves; a command tells it here, or opens it where none serves.

use std::net::SocketAddr;

use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use crate::body;
use crate::invoke::BoxFuture;
use crate::mount::{Mount, Request, Response, json, message};

/// Where a runner is told what was fired by hand: POST with a [`Fired`].
pub const PATH: &str = "/_runner/fired";

/// More is no [`Fired`].
const MOST_BYTES: usize = 4_096;

/// A run that was fired by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// The schedule's name.
    pub schedule: String,
    /// Which of its runs.
    #[serde(with = "super::state::rfc3339")]
    pub at: Timestamp,
}

impl Fired {
    /// Whether it makes up for anything: a run of the future is still to come.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.at <= now
    }
}

/// The trigger's ear on the port.
pub struct FiredMount(pub UnboundedSender<Fired>);

impl Mount for FiredMount {
    fn claims(&self, head: &Parts) -> bool {
        head.uri.path() == PATH
    }

    fn serve(&self, request: Request, _peer: SocketAddr) -> BoxFuture<Response> {
        let trigger = self.0.clone();
        Box::pin(async move {
            if request.method() != Method::POST {
                return message(StatusCode::METHOD_NOT_ALLOWED, "POST what was fired");
            }
            let (head, body) = request.into_parts();
            let body = body::read(&head.headers, body, MOST_BYTES).await.ok();
            let Some(fired) = body.and_then(|body| serde_json::from_slice::<Fired>(&body).ok()) else {
                return message(StatusCode::BAD_REQUEST, "this is no run of a schedule");
            };
            match trigger.send(fired) {
                Ok(()) => json(StatusCode::ACCEPTED, "{}"),
                Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "the schedules have ended"),
            }
        })
    }
}
