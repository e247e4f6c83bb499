//! WebSocket connections: who is behind one, which dialect it speaks, how long it is believed to live.

use serde::{Deserialize, Serialize};

use crate::error::Unauthenticated;
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::realtime::codec::Dialect;
use crate::time::Time;

/// A connection as stored, from `$connect` to `$disconnect` or the sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's id.
    pub id: ConnectionId,
    /// What its frames look like.
    pub dialect: Dialect,
    /// Who is behind it, once attached.
    pub identity: Option<Identity>,
    /// Whose token the upgrade itself showed. It receives nothing before it is attached: the gateway
    /// refuses pushes until `$connect` has returned.
    pub claimed: Option<Claim>,
    /// `$connect`'s time.
    pub connected_at: Time,
    /// When it was last pinged, or connected.
    pub pinged_at: Time,
    /// It counts as alive until then; a pong or an accepted push moves this.
    pub lease_until: Time,
}

/// What the token of an upgrade was worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It speaks for somebody.
    Person(Identity),
    /// For nobody. Who can be told only later, in its own protocol, is told this.
    Refused(Unauthenticated),
}

impl Claim {
    /// The person, if it is one.
    pub fn person(&self) -> Option<&Identity> {
        match self {
            Self::Person(identity) => Some(identity),
            Self::Refused(_) => None,
        }
    }
}

/// Who is behind a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user.
    pub user_id: UserId,
    /// The session whose token was shown; its end closes the connection.
    pub session_id: SessionId,
}

/// A connection as somebody to push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Where to.
    pub id: ConnectionId,
    /// In which dialect.
    pub dialect: Dialect,
    /// To whom.
    pub user_id: UserId,
}

/// What attaching an identity led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// The user was offline until now.
    First,
    /// The user was online already, through this or another connection.
    Already,
    /// The connection has ended meanwhile.
    Gone,
}

/// A connection that was just ended; ending it again gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// It.
    pub connection: Connection,
    /// Whether it was its user's last one: the user is offline now.
    pub last: bool,
    /// The rooms that it had joined.
    pub rooms: Vec<ConversationId>,
}
