//! `$disconnect` — ends a connection; if it was its user's last one, the user goes offline.

use shared::connection::CloseReason;
use shared::error::Error;
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::realtime::fanout::Fanout;

/// Repeating or missing this event is harmless: the heartbeat closes connections that were not reported.
///
/// # Errors
/// `Unavailable`; the gateway ignores it.
pub async fn handle(fanout: Fanout<'_>, event: SocketEvent) -> Result<SocketReply, Error> {
    let SocketEventKind::Disconnect { code, reason } = event.kind else { return Ok(SocketReply::ok()) };
    let reason = CloseReason::Disconnected { code, reason };
    fanout.end(&event.connection_id, &reason, event.now).await?;
    Ok(SocketReply::ok())
}
