//! `$connect` — accepts a WebSocket connection or refuses the upgrade; `ws-open` then sends the first frame.

use std::collections::HashMap;

use serde_json::{Value, json};
use shared::auth::{Caller, Gate};
use shared::connection::{Connection, Dialect, Identity, UpgradeToken};
use shared::error::{Error, RateLimited, Unauthenticated};
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::ports::{Connections, Functions};
use shared::realtime::codec::upgrade;
use shared::realtime::ping::CONNECT_TIMEOUT;
use shared::realtime::settings::RealtimeSettings;

/// The function that greets a connection once the gateway accepts pushes for it.
pub const OPENER: &str = "ws-open";

/// When an address with too many connections may try again, in seconds.
const FULL_RETRY_SECS: u64 = 60;

/// Answers 200, 400 for an invalid Engine.IO handshake, or 401 for a rejected token of the JSON dialect. A
/// Socket.IO client sends its token in CONNECT, whose answer can contain the reason of a rejection.
///
/// # Errors
/// `Unauthenticated`, `RateLimited`, `Unavailable`: the upgrade is refused with the status.
pub async fn handle(
    gate: Gate<'_>,
    connections: &dyn Connections,
    functions: &dyn Functions,
    settings: &RealtimeSettings,
    event: SocketEvent,
) -> Result<SocketReply, Error> {
    let SocketEventKind::Connect { headers, query } = &event.kind else { return Ok(SocketReply::ok()) };
    let parameter = |name: &str| query.get(name).map(String::as_str);
    let dialect = match upgrade::dialect(parameter("EIO"), parameter("transport")) {
        Ok(dialect) => dialect,
        Err(error) => return Ok(SocketReply::refuse(400, error.body())),
    };
    gate.take_by_address("ip", gate.rates.general, event.requester()).await?;
    let upgrade_token = check_token(gate, dialect, headers, query, &event).await;
    if !matches!(upgrade_token, Ok(Some(UpgradeToken::Valid(_)))) {
        gate.take_by_address("upgrade", gate.rates.upgrades_by_ip, event.requester()).await?;
    }
    let upgrade_token = upgrade_token?;
    let connection = Connection {
        id: event.connection_id.clone(),
        dialect,
        identity: None,
        upgrade_token,
        address: gate.address_key(event.origin()),
        connected_at: event.now,
        pinged_at: event.now,
        lease_until: event.now + CONNECT_TIMEOUT,
    };
    if !connections.open(&connection, settings.max_per_address).await? {
        let limited = RateLimited { limit: settings.max_per_address, retry_after_secs: FULL_RETRY_SECS };
        return Err(Error::RateLimited(limited));
    }
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
