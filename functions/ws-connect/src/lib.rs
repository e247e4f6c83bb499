//! `$connect` — lets a WebSocket connection in, or refuses the upgrade; `ws-open` then speaks first.

use std::collections::HashMap;

use serde_json::{Value, json};
use shared::auth::{Caller, Gate};
use shared::connection::{Claim, Connection, Identity};
use shared::error::{Error, Unauthenticated};
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::ports::{Connections, Functions};
use shared::realtime::attach::CONNECT_TIMEOUT;
use shared::realtime::codec::{Dialect, upgrade};

/// The function that greets a connection once the gateway takes pushes for it.
pub const OPENER: &str = "ws-open";

/// Answers 200, 400 for a wrong Engine.IO handshake, or 401 for a bad token of the JSON dialect. A
/// Socket.IO client shows its token in CONNECT, where it can be told what is wrong with it.
///
/// # Errors
/// `Unauthenticated`, `RateLimited`, `Unavailable`: the upgrade is refused with the status.
pub async fn handle(
    gate: Gate<'_>,
    connections: &dyn Connections,
    functions: &dyn Functions,
    event: SocketEvent,
) -> Result<SocketReply, Error> {
    let SocketEventKind::Connect { headers, query } = &event.kind else { return Ok(SocketReply::ok()) };
    let named = |name: &str| query.get(name).map(String::as_str);
    let dialect = match upgrade::dialect(named("EIO"), named("transport")) {
        Ok(dialect) => dialect,
        Err(wrong) => return Ok(SocketReply::refuse(400, wrong.body())),
    };
    gate.take("ip", &event.source_ip, gate.rates.general, event.now).await?;
    let claimed = claim(gate, dialect, headers, query, &event).await?;
    let connection = Connection {
        id: event.connection_id.clone(),
        dialect,
        identity: None,
        claimed,
        connected_at: event.now,
        pinged_at: event.now,
        lease_until: event.now + CONNECT_TIMEOUT,
    };
    connections.open(&connection).await?;
    functions.start(OPENER, &opening(&event)).await?;
    Ok(SocketReply::ok())
}

fn opening(event: &SocketEvent) -> Value {
    json!({ "connectionId": event.connection_id, "time": event.now })
}

/// Whose token the upgrade shows. The JSON dialect must show a good one; for Socket.IO it is a second way,
/// and a bad one is told at CONNECT.
async fn claim(
    gate: Gate<'_>,
    dialect: Dialect,
    headers: &HashMap<String, String>,
    query: &HashMap<String, String>,
    event: &SocketEvent,
) -> Result<Option<Claim>, Error> {
    let bearer = || {
        let (scheme, token) = headers.get("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    };
    let Some(token) = query.get("token").map(String::as_str).or_else(bearer) else {
        return match dialect {
            Dialect::Json => Err(Error::Unauthenticated(Unauthenticated::NoToken)),
            Dialect::SocketIo => Ok(None),
        };
    };
    match gate.identify(token.trim(), event.now).await {
        Ok(Caller { user_id, session_id }) => Ok(Some(Claim::Person(Identity { user_id, session_id }))),
        Err(Error::Unauthenticated(why)) if dialect == Dialect::SocketIo => Ok(Some(Claim::Refused(why))),
        Err(refused) => Err(refused),
    }
}
