//! Attaching a user to a connection: the lease, the first-connection edge, the announcement.

use super::event::ServerEvent;
use super::fanout::Fanout;
use super::ping::PingTimers;
use crate::connection::{AttachOutcome, CloseReason, Identity};
use crate::error::Error;
use crate::id::ConnectionId;
use crate::ports::Sessions;
use crate::time::Time;

/// Attaches `identity` to the connection and announces the user's first connection. On
/// [`AttachOutcome::SessionEnded`] the connection's record is ended too; the caller closes the socket.
///
/// # Errors
/// `Unavailable`.
pub async fn attach(
    sessions: &dyn Sessions,
    fanout: Fanout<'_>,
    id: &ConnectionId,
    identity: &Identity,
    timers: PingTimers,
    now: Time,
) -> Result<AttachOutcome, Error> {
    let outcome = fanout.connections.attach(id, identity, timers.lease(now)).await?;
    let AttachOutcome::Attached { came_online } = outcome else { return Ok(outcome) };
    // Ending a session closes the sockets attached at that moment, so a session that ended before this
    // attach has missed this socket. Check it again.
    let is_live = sessions.live(&identity.session_id, now).await?.is_some();
    if came_online {
        let event = ServerEvent::UserOnline { user_id: &identity.user_id };
        fanout.announce(&identity.user_id, &event, now).await;
    }
    if is_live {
        return Ok(outcome);
    }
    fanout.end(id, &CloseReason::SessionEnded("session ended while connecting".into()), now).await?;
    Ok(AttachOutcome::SessionEnded)
}
