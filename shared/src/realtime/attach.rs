//! Putting a person behind a connection: the lease, the edge, the announcement.

use std::time::Duration;

use crate::connection::{Attached, Identity};
use crate::error::Error;
use crate::id::ConnectionId;
use crate::ports::Sessions;
use crate::realtime::codec::engine_io::PingTimers;
use crate::realtime::event::ServerEvent;
use crate::realtime::fanout::Fanout;
use crate::time::Time;

/// How long a connection may stay without saying who is behind it.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// How often pings go out: the heartbeat's schedule.
pub const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long a connection counts as alive after a sign of life.
pub fn lease(timers: PingTimers, now: Time) -> Time {
    now + timers.interval() + timers.timeout()
}

/// What attaching led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// The person is there.
    There,
    /// The connection has ended meanwhile.
    Gone,
    /// The session has ended meanwhile, and the connection was forgotten with it: close it.
    Revoked,
}

/// Attaches `identity` and announces the user's first connection.
///
/// The session is looked at once more after that: an end of it closes the sockets that it finds, and before
/// the attaching it did not find this one.
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
) -> Result<Admitted, Error> {
    let attached = fanout.connections.attach(id, identity, lease(timers, now)).await?;
    if attached == Attached::Gone {
        return Ok(Admitted::Gone);
    }
    let lives = sessions.live(&identity.session_id, now).await?.is_some();
    if attached == Attached::First {
        let event = ServerEvent::UserOnline { user_id: &identity.user_id };
        fanout.announce(&identity.user_id, &event, now).await;
    }
    if lives {
        return Ok(Admitted::There);
    }
    fanout.end(id, now).await?;
    Ok(Admitted::Revoked)
}
