//! The entry point for sockets: `$connect`, `$default` and `$disconnect` events of an API Gateway WebSocket API. A
//! handler's error never fails the invocation: the gateway would send an error frame of its own to the client, and a
//! Socket.IO client would treat it as a broken transport.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::status;
use super::{Entry, invalid_event, raw};
use crate::auth::{Origin, Requester};
use crate::error::Error;
use crate::id::{ConnectionId, Entropy};
use crate::telemetry::REQUESTS;
use crate::time::Time;

/// One event of one connection.
#[derive(Debug, Clone)]
pub struct SocketEvent {
    /// API Gateway's request id.
    pub id: String,
    pub connection_id: ConnectionId,
    /// When the gateway received the event.
    pub now: Time,
    pub entropy: Entropy,
    /// The client's IP address as the gateway saw it.
    pub source_ip: String,
    pub kind: SocketEventKind,
}

#[derive(Debug, Clone)]
pub enum SocketEventKind {
    /// A client wants to connect; the gateway waits for the reply.
    Connect {
        /// The upgrade request's headers, with lower-case names.
        headers: HashMap<String, String>,
        query: HashMap<String, String>,
    },
    /// A client sent a text frame.
    Message { body: String },
    /// The socket is closed, with the code and reason that the gateway knows.
    Disconnect { code: Option<u16>, reason: Option<String> },
}

impl SocketEvent {
    /// Who caused the event, before a token is checked.
    pub fn requester(&self) -> Requester<'_> {
        let Self { id: request_id, now, .. } = self;
        Requester { user_id: None, session_id: None, origin: self.origin(), request_id, now: *now }
    }
}

/// The reply to an upgrade request. The gateway ignores it for other events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketReply {
    /// 2xx accepts the connection; any other status refuses it.
    pub status: u16,
    /// The body of a refusal.
    pub body: String,
}

impl SocketEvent {
    /// The addresses of an upgrade request, for limits. Later events have no headers.
    pub fn origin(&self) -> Origin<'_> {
        let forwarded_for = match &self.kind {
            SocketEventKind::Connect { headers, .. } => headers.get("x-forwarded-for").map(String::as_str),
            SocketEventKind::Message { .. } | SocketEventKind::Disconnect { .. } => None,
        };
        Origin { source_ip: &self.source_ip, forwarded_for }
    }
}

impl SocketReply {
    /// 200.
    pub fn ok() -> Self {
        Self { status: 200, body: String::new() }
    }

    /// Refuses the upgrade.
    pub fn refuse(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Makes a handler of socket events a Lambda function. An error refuses a pending upgrade with its status; after the
/// upgrade it is only logged.
pub fn websocket<H, F>(handle: H) -> Entry
where
    H: Fn(SocketEvent) -> F + Send + Sync + 'static,
    F: Future<Output = Result<SocketReply, Error>> + Send + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let deadline_ms = event.context.deadline;
            let event = read(event.payload.get()).map_err(|e| invalid_event(&e))?;
            let is_upgrade = matches!(event.kind, SocketEventKind::Connect { .. });
            let (id, connection) = (event.id.clone(), event.connection_id.clone());
            let handled = super::within_deadline(deadline_ms, handle(event)).await;
            let reply = handled.unwrap_or_else(|error| error_reply(&error, is_upgrade, &id, &connection));
            raw(&WireReply { status_code: reply.status, body: &reply.body })
        })
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireReply<'a> {
    status_code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
}

/// Logs the error. The reply has its status for an upgrade, and 200 otherwise.
fn error_reply(error: &Error, is_upgrade: bool, id: &str, connection: &ConnectionId) -> SocketReply {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(target: REQUESTS, request_id = id, connection_id = %connection, code = error.code(), cause, "socket invocation failed");
    if !is_upgrade {
        return SocketReply::ok();
    }
    SocketReply::refuse(
        status(error).as_u16(),
        serde_json::json!({ "code": error.code(), "message": error.to_string() }).to_string(),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_context: Context,
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    event_type: EventType,
    connection_id: String,
    request_id: String,
    request_time_epoch: i64,
    #[serde(default)]
    identity: Identity,
    #[serde(default)]
    disconnect_status_code: Option<u16>,
    #[serde(default)]
    disconnect_reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default)]
    source_ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Connect,
    Message,
    Disconnect,
}

fn read(text: &str) -> Result<SocketEvent, serde_json::Error> {
    let event: Event = serde_json::from_str(text)?;
    let context = event.request_context;
    let kind = match context.event_type {
        EventType::Connect => SocketEventKind::Connect {
            headers: with_lower_case_names(event.headers.unwrap_or_default()),
            query: event.query_string_parameters.unwrap_or_default(),
        },
        EventType::Message => SocketEventKind::Message { body: event.body.unwrap_or_default() },
        EventType::Disconnect => SocketEventKind::Disconnect {
            code: context.disconnect_status_code,
            reason: context.disconnect_reason,
        },
    };
    Ok(SocketEvent {
        id: context.request_id,
        connection_id: ConnectionId::trusted(context.connection_id),
        now: Time::from_millis(context.request_time_epoch),
        entropy: Entropy::default(),
        source_ip: context.identity.source_ip.unwrap_or_default(),
        kind,
    })
}

fn with_lower_case_names(headers: HashMap<String, String>) -> HashMap<String, String> {
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}
