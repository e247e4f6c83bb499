//! From an event to a function and back: which route a message takes, and what its function's outcome means.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connect::{self, Decision};
use super::end::End;
use super::event::{self, Occasion, Origin};
use super::peer::Peer;
use super::reply::{self, Refusal};
use super::selection::{Selection, SelectionError};
use crate::ids;
use crate::invoke::{Invocation, InvokeError, Invoker};
use crate::plan::{WebSocketPlan, WebSocketRoutePlan};

const CONNECT: &str = "$connect";
const DISCONNECT: &str = "$disconnect";
const DEFAULT: &str = "$default";

/// The API's routes and who runs their functions.
pub(super) struct Routes {
    stage: String,
    routes: BTreeMap<String, WebSocketRoutePlan>,
    /// Absent when there is nothing to select: every message is `$default`, and none need be read as JSON.
    selection: Option<Selection>,
    invoker: Arc<dyn Invoker>,
}

impl Routes {
    pub(super) fn new(api: &WebSocketPlan, invoker: Arc<dyn Invoker>) -> Result<Self, SelectionError> {
        let selection = Selection::parse(&api.route_selection_expression)?;
        let own = [CONNECT, DISCONNECT, DEFAULT];
        let has_choice = api.routes.keys().any(|key| !own.contains(&key.as_str()));
        let selection = has_choice.then_some(selection);
        Ok(Self { stage: api.stage.clone(), routes: api.routes.clone(), selection, invoker })
    }

    /// Runs `$connect`, if the API has one.
    pub(super) async fn connect(&self, origin: &Origin, head: &Parts, port: u16) -> Decision {
        let Some(route) = self.routes.get(CONNECT) else { return Decision::Accept(None) };
        let request_id = ids::gateway_id();
        let now = origin.connected_at;
        let trace = ids::trace_root(now.as_second().unsigned_abs());
        let event = event::connect(origin, self.at(CONNECT, &request_id, now), head, port, &trace);
        let outcome = self.invoke(route, event).await;
        let outcome = outcome.as_ref().map(|outcome| outcome.as_deref());
        connect::decide(outcome, &origin.id, &request_id)
    }

    /// Runs the function of one message; the frame that goes back, if one does.
    pub(super) async fn message(self: Arc<Self>, peer: Arc<Peer>, body: Utf8Bytes) -> Option<Utf8Bytes> {
        let origin = &peer.origin;
        let request_id = ids::gateway_id();
        let refuse = |refusal: Refusal| Some(refusal.frame(&origin.id, &request_id).into());
        let Some((key, route)) = self.select(&body) else { return refuse(Refusal::Forbidden) };
        let at = self.at(key, &request_id, Timestamp::now());
        let event = event::message(origin, at, &ids::gateway_id(), &body);
        drop(body);
        let payload = match self.invoke(route, event).await {
            None => return refuse(Refusal::TimedOut),
            Some(Err(_)) => return refuse(Refusal::InternalServerError),
            Some(Ok(payload)) => payload,
        };
        match reply::read(&payload) {
            Ok(body) => body.filter(|_| route.replies),
            Err(()) => {
                tracing::warn!(function = route.function, "the function's reply has a bad shape");
                refuse(Refusal::InternalServerError)
            }
        }
    }

    /// Runs `$disconnect`, if the API has one; what it answers is ignored.
    pub(super) async fn disconnect(&self, origin: &Origin, end: &End) {
        let Some(route) = self.routes.get(DISCONNECT) else { return };
        let request_id = ids::gateway_id();
        let event = event::disconnect(origin, self.at(DISCONNECT, &request_id, Timestamp::now()), end);
        self.invoke(route, event).await;
    }

    /// The route of a message: the selected one, else `$default`. A client cannot select `$connect`.
    fn select(&self, body: &str) -> Option<(&str, &WebSocketRoutePlan)> {
        let selected = self.selection.as_ref().and_then(|selection| selection.evaluate(body));
        let selected = selected.filter(|key| key != CONNECT && key != DISCONNECT);
        let found = selected.and_then(|key| self.routes.get_key_value(&key));
        found.or_else(|| self.routes.get_key_value(DEFAULT)).map(|(key, route)| (key.as_str(), route))
    }

    fn at<'a>(&'a self, route_key: &'a str, request_id: &'a str, now: Timestamp) -> Occasion<'a> {
        Occasion { stage: &self.stage, route_key, request_id, now }
    }

    /// Invokes within the integration's timeout; `None` when that passed.
    async fn invoke(&self, route: &WebSocketRoutePlan, event: Vec<u8>) -> Option<Result<Bytes, InvokeError>> {
        let call = Invocation::new(route.function.as_str(), event);
        let (function, request_id) = (&route.function, call.request_id.clone());
        let outcome = timeout(route.timeout, self.invoker.invoke(call)).await;
        match &outcome {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(function, request_id, %error, "the function failed"),
            Err(_) => tracing::warn!(function, request_id, "too late for the route"),
        }
        outcome.ok()
    }
}
