//! Attaching a user to a connection: the lease, the limit of connections, the session that may have ended meanwhile.

use super::announce::Announcer;
use super::ping::PingTimers;
use crate::connection::{AttachOutcome, CloseReason, Identity};
use crate::error::Error;
use crate::id::ConnectionId;
use crate::ports::{Attachment, Sessions};
use crate::time::Time;

/// Attaches `identity` to the connection. The caller answers the client first, and then announces the user if the
/// outcome says so. On [`AttachOutcome::SessionEnded`] the connection's record is ended too; the caller closes the
/// socket.
///
/// # Errors
/// `Unavailable`.
pub async fn attach(
    sessions: &dyn Sessions,
    announcer: Announcer<'_>,
    id: &ConnectionId,
    identity: &Identity,
    timers: PingTimers,
    now: Time,
) -> Result<AttachOutcome, Error> {
    let max_per_user = announcer.settings.max_per_user;
    let attachment = Attachment { identity, lease_until: timers.lease(now), max_per_user, now };
    let outcome = announcer.fanout.connections.attach(id, &attachment).await?;
    let AttachOutcome::Attached { .. } = outcome else { return Ok(outcome) };
    // Ending a session closes the sockets attached at that moment, so a session that ended before this
    // attach has missed this socket. Check it again.
    if sessions.live(&identity.session_id, now).await?.is_some() {
        return Ok(outcome);
    }
    let reason = CloseReason::SessionEnded("session ended while connecting".into());
    announcer.fanout.end(id, &reason, now).await?;
    Ok(AttachOutcome::SessionEnded)
}
