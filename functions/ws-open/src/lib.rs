//! Invoked by `$connect` — sends the first frame on a new connection, as Socket.IO requires of the server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use shared::connection::{AttachOutcome, CloseReason, Connection, Dialect, Identity, UpgradeToken};
use shared::error::{Error, RateLimited, StoreError};
use shared::id::ConnectionId;
use shared::ports::{PushError, Sessions};
use shared::realtime::ack::error_body;
use shared::realtime::announce::Announcer;
use shared::realtime::attach::attach;
use shared::realtime::codec::engine_io::OpenPacket;
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::PingTimers;
use shared::time::Time;

/// API Gateway's largest frame in bytes, announced as `maxPayload`.
const LARGEST_FRAME: usize = 32 * 1024;

/// Pauses between attempts: the gateway answers 410 until `$connect` has returned. Under a second together, so that
/// clients that leave at once cannot keep many invocations alive.
const PAUSES_MS: [u64; 7] = [5, 10, 25, 50, 100, 200, 400];

/// How many invocations try, one after the other. The client waits 20 s for the first frame.
const MAX_INVOCATIONS: u32 = 6;

/// When a user with too many connections may try again, in seconds.
const FULL_RETRY_SECS: u64 = 60;

/// This function's name, by which it invokes itself.
const SELF: &str = "ws-open";

/// The event that `ws-connect` sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    pub connection_id: ConnectionId,
    /// The time of the `$connect`.
    pub time: Time,
    /// How many invocations have tried before.
    #[serde(default)]
    pub tried: u32,
}

/// Greets the connection and, in the JSON dialect, attaches its user. Stops when the connection has ended; one that
/// the gateway never accepts is ended. A second invocation is harmless: the open packet is the same.
///
/// # Errors
/// `Unavailable`; Lambda then retries the invocation.
pub async fn handle(
    sessions: &dyn Sessions,
    announcer: Announcer<'_>,
    timers: PingTimers,
    opening: Opening,
) -> Result<(), Error> {
    let fanout = announcer.fanout;
    let Some(connection) = fanout.connections.get(&opening.connection_id).await? else { return Ok(()) };
    match greet(fanout, &connection.id, &greeting(&connection, timers)).await? {
        Greeted::Yes => {}
        Greeted::Ended => return Ok(()),
        Greeted::NotYet if opening.tried + 1 < MAX_INVOCATIONS => {
            let again = json!({
                "connectionId": opening.connection_id, "time": opening.time, "tried": opening.tried + 1,
            });
            return Ok(announcer.functions.start(SELF, &again).await?);
        }
        Greeted::NotYet => {
            return Ok(fanout.end(&connection.id, &CloseReason::NeverOpened, opening.time).await?);
        }
    }
    let identity = connection.upgrade_token.as_ref().and_then(UpgradeToken::identity);
    if let (Dialect::Json, Some(identity)) = (connection.dialect, identity) {
        attach_json(sessions, announcer, timers, &opening, identity).await?;
    }
    Ok(())
}

async fn attach_json(
    sessions: &dyn Sessions,
    announcer: Announcer<'_>,
    timers: PingTimers,
    opening: &Opening,
    identity: &Identity,
) -> Result<(), Error> {
    let (id, now) = (&opening.connection_id, opening.time);
    match attach(sessions, announcer, id, identity, timers, now).await? {
        AttachOutcome::Attached { came_online: true } => announcer.arrival(&identity.user_id, now).await,
        AttachOutcome::Attached { came_online: false } | AttachOutcome::ConnectionGone => {}
        AttachOutcome::TooMany => {
            let limit = announcer.settings.max_per_user;
            let full = Error::RateLimited(RateLimited { limit, retry_after_secs: FULL_RETRY_SECS });
            // The socket is closed whether the client receives the reason or not.
            let _ = announcer.fanout.push.send(id, &Dialect::Json.event("error", &error_body(&full))).await;
            announcer.fanout.close(id, &CloseReason::TooManyConnections, now).await?;
        }
        // A connection that is gone already is closed.
        AttachOutcome::SessionEnded => _ = announcer.fanout.push.close(id).await,
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

enum Greeted {
    Yes,
    /// The gateway still answers 410 or 429.
    NotYet,
    /// The record is gone: the client has left.
    Ended,
}

/// Pushes the greeting, and tries again while the gateway answers 410 or 429 and the connection's record exists.
async fn greet(fanout: Fanout<'_>, id: &ConnectionId, frame: &str) -> Result<Greeted, Error> {
    for pause in PAUSES_MS {
        match fanout.push.send(id, frame).await {
            Err(PushError::Gone | PushError::Busy) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answer => return greeted(answer),
        }
        if fanout.connections.get(id).await?.is_none() {
            return Ok(Greeted::Ended);
        }
    }
    greeted(fanout.push.send(id, frame).await)
}

fn greeted(answer: Result<(), PushError>) -> Result<Greeted, Error> {
    match answer {
        Ok(()) | Err(PushError::TooLarge) => Ok(Greeted::Yes),
        Err(PushError::Gone | PushError::Busy) => Ok(Greeted::NotYet),
        Err(PushError::Failed(cause)) => Err(StoreError::down("api-gateway", cause).into()),
    }
}
