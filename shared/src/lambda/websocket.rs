//! The WebSocket door: `$connect`, `$default` and `$disconnect` events of an API Gateway WebSocket API.
//! A message's invocation never fails, whatever the frame: the gateway would write an error frame of its
//! own into the socket, which a Socket.IO client takes for a broken transport.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::status;
use super::{Entry, broken_event, raw};
use crate::error::Error;
use crate::id::{ConnectionId, Entropy};
use crate::telemetry::REQUESTS;
use crate::time::Time;

/// One event of one connection.
#[derive(Debug, Clone)]
pub struct SocketEvent {
    /// API Gateway's request id.
    pub id: String,
    /// Whose.
    pub connection_id: ConnectionId,
    /// When the gateway saw it.
    pub now: Time,
    /// Where ids come from.
    pub entropy: Entropy,
    /// Who, as the gateway saw it.
    pub source_ip: String,
    /// What happened.
    pub kind: SocketEventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum SocketEventKind {
    /// The upgrade is pending; headers have lower-case names.
    Connect {
        /// The upgrade request's headers.
        headers: HashMap<String, String>,
        /// Its query.
        query: HashMap<String, String>,
    },
    /// A text frame came.
    Message {
        /// As sent.
        body: String,
    },
    /// The socket is closed.
    Disconnect {
        /// The close code, if the gateway knows one.
        code: Option<u16>,
        /// The close reason, if the gateway knows one.
        reason: Option<String>,
    },
}

/// What `$connect` answers to the upgrade; for the other routes it is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketReply {
    /// 2xx lets the connection in.
    pub status: u16,
    /// A body for a refused upgrade.
    pub body: String,
}

impl SocketReply {
    /// 200.
    pub fn ok() -> Self {
        Self { status: 200, body: String::new() }
    }

    /// A refusal of the upgrade.
    pub fn refuse(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Puts a handler behind the WebSocket door.
pub fn websocket<H, F>(handle: H) -> Entry
where
    H: Fn(SocketEvent) -> F + Send + Sync + 'static,
    F: Future<Output = Result<SocketReply, Error>> + Send + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let event = read(event.payload.get()).map_err(|e| broken_event(&e))?;
            let connecting = matches!(event.kind, SocketEventKind::Connect { .. });
            let (id, connection) = (event.id.clone(), event.connection_id.clone());
            let reply =
                handle(event).await.unwrap_or_else(|error| refused(&error, connecting, &id, &connection));
            raw(&Wire { status_code: reply.status, body: &reply.body })
        })
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    status_code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
}

/// An error as the upgrade's status; after the upgrade it is logged and the gateway hears 200.
fn refused(error: &Error, connecting: bool, id: &str, connection: &ConnectionId) -> SocketReply {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(target: REQUESTS, request_id = id, connection = %connection, code = error.code(), cause);
    if !connecting {
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
            headers: lower(event.headers.unwrap_or_default()),
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

fn lower(headers: HashMap<String, String>) -> HashMap<String, String> {
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}
