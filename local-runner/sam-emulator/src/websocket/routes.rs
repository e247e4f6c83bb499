//! The API's routes: which route an event takes, invoking its function, and what the outcome means.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close_reason::CloseReason;
use super::connect::{self, Decision};
use super::connection::OpenConnection;
use super::event::{self, ConnectionMeta, EventMeta};
use super::reply::{self, GatewayError, InvalidReply};
use super::selection::{Selection, SelectionError};
use crate::authorizer::{self, Authorizers, Identity, Refusal};
use crate::gateway::{self, API_ID};
use crate::invoke::{Invocation, InvokeError, Invoker};
use crate::plan::{Account, Plan, RouteAuthorizer, WebSocketPlan, WebSocketRoutePlan};

const CONNECT: &str = "$connect";
const DISCONNECT: &str = "$disconnect";
const DEFAULT: &str = "$default";

/// The routes of the API, and the invoker of their functions.
pub(super) struct Routes {
    stage: String,
    account: Account,
    authorizer: Option<RouteAuthorizer>,
    authorizers: Authorizers,
    stage_variables: BTreeMap<String, String>,
    routes: BTreeMap<String, WebSocketRoutePlan>,
    /// `None` when the API has the predefined routes only. Then every message takes `$default` without being
    /// parsed.
    selection: Option<Selection>,
    invoker: Arc<dyn Invoker>,
}

impl Routes {
    pub(super) fn new(
        plan: &Plan,
        api: &WebSocketPlan,
        invoker: Arc<dyn Invoker>,
    ) -> Result<Self, SelectionError> {
        let selection = Selection::parse(&api.route_selection_expression)?;
        let predefined = [CONNECT, DISCONNECT, DEFAULT];
        let has_choice = api.routes.keys().any(|key| !predefined.contains(&key.as_str()));
        let selection = has_choice.then_some(selection);
        let name = CONNECT.to_owned();
        let authorizers =
            api.authorizer.iter().map(|authorizer| (name.clone(), authorizer.clone())).collect();
        Ok(Self {
            stage: api.stage.clone(),
            account: plan.account.clone(),
            authorizer: api.authorizer.is_some().then(|| RouteAuthorizer { name, scopes: Vec::new() }),
            authorizers: Authorizers::new(&authorizers, Arc::clone(&invoker)),
            stage_variables: api.stage_variables.clone(),
            routes: api.routes.clone(),
            selection,
            invoker,
        })
    }

    /// Asks the authorizer, if there is one, and runs `$connect`. Without that route, every connection is
    /// accepted. What the authorizer says becomes part of the connection.
    pub(super) async fn connect(&self, meta: &mut ConnectionMeta, head: &Parts, port: u16) -> Decision {
        let request_id = gateway::random_id();
        let now = meta.connected_at;
        let trace = gateway::trace_root(now);
        let event = |meta: &ConnectionMeta| {
            event::connect(meta, self.event_meta(CONNECT, &request_id, now), head, port, &trace)
        };
        if self.authorizer.is_some() {
            let base = serde_json::from_slice(&event(meta)).unwrap_or_default();
            match self.authorize(head, base).await {
                Ok(identity) => meta.authorizer = identity.map(|identity| identity.format_1()),
                Err(refusal) => return connect::refuse(&refusal, &meta.id, &request_id),
            }
        }
        let Some(route) = self.routes.get(CONNECT) else { return Decision::Accept(None) };
        let event = event(meta);
        let outcome = self.invoke(CONNECT, route, event).await;
        let outcome = outcome.as_ref().map(|outcome| outcome.as_deref());
        connect::decide(outcome, &meta.id, &request_id)
    }

    /// The decision about an upgrade request, whose event is `event`.
    async fn authorize(&self, head: &Parts, event: Value) -> Result<Option<Identity>, Refusal> {
        let resource = format!("{API_ID}/{}/{CONNECT}", self.stage);
        let request = authorizer::Request {
            head,
            arn: self.account.arn("execute-api", &resource),
            event: &|_format| event.clone(),
            stage_variables: &self.stage_variables,
        };
        self.authorizers.decide(self.authorizer.as_ref(), &request).await
    }

    /// Runs the function of one message. Returns the frame to send to the client, if there is one.
    pub(super) async fn message(
        self: Arc<Self>,
        connection: Arc<OpenConnection>,
        body: Utf8Bytes,
    ) -> Option<Utf8Bytes> {
        let meta = &connection.meta;
        let request_id = gateway::random_id();
        let error = |error: GatewayError| Some(error.frame(&meta.id, &request_id).into());
        let Some((key, route)) = self.select(&body) else { return error(GatewayError::Forbidden) };
        let event_meta = self.event_meta(key, &request_id, Timestamp::now());
        let event = event::message(meta, event_meta, &gateway::random_id(), &body);
        drop(body);
        let payload = match self.invoke(key, route, event).await {
            None => return error(GatewayError::TimedOut),
            Some(Err(_)) => return error(GatewayError::InternalServerError),
            Some(Ok(payload)) => payload,
        };
        match reply::read(&payload) {
            Ok(body) => body.filter(|_| route.replies),
            Err(InvalidReply) => {
                let (function, connection_id) = (&route.function, &*meta.id);
                tracing::warn!(function, connection_id, "invalid reply of a function");
                error(GatewayError::InternalServerError)
            }
        }
    }

    /// Runs `$disconnect`, if the API has that route. The outcome has no effect.
    pub(super) async fn disconnect(&self, meta: &ConnectionMeta, reason: &CloseReason) {
        let Some(route) = self.routes.get(DISCONNECT) else { return };
        let request_id = gateway::random_id();
        let event_meta = self.event_meta(DISCONNECT, &request_id, Timestamp::now());
        self.invoke(DISCONNECT, route, event::disconnect(meta, event_meta, reason)).await;
    }

    /// The route of a message: the selected one, or `$default`. A message cannot select `$connect` or
    /// `$disconnect`.
    fn select(&self, body: &str) -> Option<(&str, &WebSocketRoutePlan)> {
        let selected = self.selection.as_ref().and_then(|selection| selection.evaluate(body));
        let selected = selected.filter(|key| key != CONNECT && key != DISCONNECT);
        let found = selected.and_then(|key| self.routes.get_key_value(&key));
        found.or_else(|| self.routes.get_key_value(DEFAULT)).map(|(key, route)| (key.as_str(), route))
    }

    fn event_meta<'a>(&'a self, route_key: &'a str, request_id: &'a str, now: Timestamp) -> EventMeta<'a> {
        EventMeta { stage: &self.stage, route_key, request_id, now }
    }

    /// Invokes the route's function; `None` when the route's timeout passed first.
    async fn invoke(
        &self,
        key: &str,
        plan: &WebSocketRoutePlan,
        event: Vec<u8>,
    ) -> Option<Result<Bytes, InvokeError>> {
        let call = Invocation::new(plan.function.as_str(), event);
        let (function, request_id) = (&plan.function, call.request_id.clone());
        let outcome = timeout(plan.timeout, self.invoker.invoke(call)).await;
        match &outcome {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(function, request_id, route = key, %error, "function failed"),
            Err(_) => {
                tracing::warn!(function, request_id, route = key, timeout = ?plan.timeout, "route timed out");
            }
        }
        outcome.ok()
    }
}
