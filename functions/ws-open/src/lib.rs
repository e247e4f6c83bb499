//! Invoked by `$connect` — sends the first frame on a new connection, as Socket.IO requires of the server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use shared::connection::{AttachOutcome, CloseReason, Connection, Dialect, UpgradeToken};
use shared::error::{Error, StoreError};
use shared::id::ConnectionId;
use shared::ports::{Push, PushError, Sessions};
use shared::realtime::attach::attach;
use shared::realtime::codec::engine_io::OpenPacket;
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::PingTimers;
use shared::time::Time;

/// API Gateway's largest frame in bytes, announced as `maxPayload`.
const LARGEST_FRAME: usize = 32 * 1024;

/// Pauses between attempts: the gateway answers 410 until `$connect` has returned. About 6 s together.
const PAUSES_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 500, 1_000, 4_000];

/// The event that `ws-connect` sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    pub connection_id: ConnectionId,
    /// The time of the `$connect`.
    pub time: Time,
}

/// Greets the connection and, in the JSON dialect, attaches its user. A connection that the gateway never
/// accepts is ended. A second invocation is harmless: the open packet is the same.
///
/// # Errors
/// `Unavailable`; Lambda then retries the invocation.
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
            fanout.end(&connection.id, &CloseReason::NeverOpened, opening.time).await?;
            return Ok(());
        }
        Err(PushError::TooLarge | PushError::Busy) => return Ok(()),
        Err(PushError::Failed(cause)) => return Err(StoreError::down("api-gateway", cause).into()),
    }
    let identity = connection.upgrade_token.as_ref().and_then(UpgradeToken::identity);
    if let (Dialect::Json, Some(identity)) = (connection.dialect, identity) {
        let id = &connection.id;
        if attach(sessions, fanout, id, identity, timers, opening.time).await? == AttachOutcome::SessionEnded
        {
            // A connection that is gone already is closed.
            let _ = fanout.push.close(id).await;
        }
    }
    Ok(())
}

fn greeting(connection: &Connection, timers: PingTimers) -> String {
    match connection.dialect {
        Dialect::SocketIo => OpenPacket::new(connection.id.as_str(), timers, LARGEST_FRAME).encode(),
        Dialect::Json => {
            let identity = connection.upgrade_token.as_ref().and_then(UpgradeToken::identity);
            let user_id = identity.map(|identity| &identity.user_id);
            Dialect::Json.event("connected", &json!({ "connectionId": connection.id, "userId": user_id }))
        }
    }
}

/// Pushes the greeting, and tries again while the gateway answers 410.
async fn greet(push: &dyn Push, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
    for pause in PAUSES_MS {
        match push.send(id, frame).await {
            Err(PushError::Gone) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answered => return answered,
        }
    }
    push.send(id, frame).await
}
