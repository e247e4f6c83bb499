//! Invoked by `$connect` — speaks first on a new connection, as Socket.IO wants, once the gateway lets it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use shared::connection::{Claim, Connection};
use shared::error::{Error, StoreError};
use shared::id::ConnectionId;
use shared::ports::{Push, PushError, Sessions};
use shared::realtime::attach::{Admitted, attach};
use shared::realtime::codec::Dialect;
use shared::realtime::codec::engine_io::{OpenPacket, PingTimers};
use shared::realtime::fanout::Fanout;
use shared::time::Time;

/// API Gateway's largest frame: what `maxPayload` tells clients.
const LARGEST_FRAME: usize = 32 * 1024;

/// Pauses between attempts: the gateway answers 410 until `$connect` has returned. Together about 6 s.
const PAUSES_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 500, 1_000, 4_000];

/// A connection that `$connect` has let in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// Which.
    pub connection_id: ConnectionId,
    /// When.
    pub time: Time,
}

/// Greets the connection; one that never appears is forgotten. Being invoked twice is harmless: the open
/// packet is the same.
///
/// # Errors
/// `Unavailable`, upon which Lambda invokes it again.
pub async fn handle(
    sessions: &dyn Sessions,
    fanout: Fanout<'_>,
    timers: PingTimers,
    opening: Opening,
) -> Result<(), Error> {
    let Some(connection) = fanout.connections.get(&opening.connection_id).await? else { return Ok(()) };
    match greet(fanout.push, &connection.id, &greeting(&connection, timers)).await {
        Ok(()) => {}
        Err(PushError::Gone) => {
            fanout.end(&connection.id, opening.time).await?;
            return Ok(());
        }
        Err(PushError::TooLarge | PushError::Busy) => return Ok(()),
        Err(PushError::Failed(cause)) => return Err(StoreError::down("api-gateway", cause).into()),
    }
    let person = connection.claimed.as_ref().and_then(Claim::person);
    if let (Dialect::Json, Some(identity)) = (connection.dialect, person) {
        let id = &connection.id;
        if attach(sessions, fanout, id, identity, timers, opening.time).await? == Admitted::Revoked {
            // Whether it was there any more does not matter.
            let _ = fanout.push.close(id).await;
        }
    }
    Ok(())
}

fn greeting(connection: &Connection, timers: PingTimers) -> String {
    match connection.dialect {
        Dialect::SocketIo => OpenPacket::new(connection.id.as_str(), timers, LARGEST_FRAME).encode(),
        Dialect::Json => {
            let user = connection.claimed.as_ref().and_then(Claim::person).map(|person| &person.user_id);
            Dialect::Json.event("connected", &json!({ "connectionId": connection.id, "userId": user }))
        }
    }
}

/// Pushes, and tries again while the gateway does not know the connection yet.
async fn greet(push: &dyn Push, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
    for pause in PAUSES_MS {
        match push.send(id, frame).await {
            Err(PushError::Gone) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answered => return answered,
        }
    }
    push.send(id, frame).await
}
