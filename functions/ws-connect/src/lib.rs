//! `$connect` — accepts a WebSocket connection or refuses the upgrade; `ws-open` then sends the first frame.

use std::collections::HashMap;

use serde_json::{Value, json};
use shared::auth::{Caller, Gate};
use shared::connection::{Connection, Dialect, Identity, UpgradeToken};
use shared::error::{Error, Unauthenticated};
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::ports::{Connections, Functions};
use shared::realtime::codec::upgrade;
use shared::realtime::ping::CONNECT_TIMEOUT;

/// The function that greets a connection once the gateway accepts pushes for it.
pub const OPENER: &str = "ws-open";

/// Answers 200, 400 for an invalid Engine.IO handshake, or 401 for a rejected token of the JSON dialect. A
/// Socket.IO client sends its token in CONNECT, whose answer can contain the reason of a rejection.
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
    let parameter = |name: &str| query.get(name).map(String::as_str);
    let dialect = match upgrade::dialect(parameter("EIO"), parameter("transport")) {
        Ok(dialect) => dialect,
        Err(error) => return Ok(SocketReply::refuse(400, error.body())),
    };
    gate.take("ip", &event.source_ip, gate.rates.general, event.requester()).await?;
    let upgrade_token = check_token(gate, dialect, headers, query, &event).await?;
    let connection = Connection {
        id: event.connection_id.clone(),
        dialect,
        identity: None,
        upgrade_token,
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

/// Checks the upgrade's token. The JSON dialect needs a valid one. For Socket.IO it is optional, and a
/// rejected one is reported at CONNECT.
async fn check_token(
    gate: Gate<'_>,
    dialect: Dialect,
    headers: &HashMap<String, String>,
    query: &HashMap<String, String>,
    event: &SocketEvent,
) -> Result<Option<UpgradeToken>, Error> {
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
        Ok(Caller { user_id, session_id }) => Ok(Some(UpgradeToken::Valid(Identity { user_id, session_id }))),
        Err(Error::Unauthenticated(why)) if dialect == Dialect::SocketIo => {
            Ok(Some(UpgradeToken::Rejected(why)))
        }
        Err(refused) => Err(refused),
    }
}
