//! `$disconnect` — forgets a connection; a user's last one makes the user offline for everybody.

use shared::error::Error;
use shared::lambda::websocket::{SocketEvent, SocketReply};
use shared::realtime::fanout::Fanout;

/// Always harmless to repeat, and to miss: the heartbeat sweeps what was never told of.
///
/// # Errors
/// `Unavailable`; the gateway ignores it.
pub async fn handle(fanout: Fanout<'_>, event: SocketEvent) -> Result<SocketReply, Error> {
    fanout.end(&event.connection_id, event.now).await?;
    Ok(SocketReply::ok())
}
