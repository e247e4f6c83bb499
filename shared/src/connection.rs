//! WebSocket connections: the user behind one, its dialect, how long it counts as alive, and why it ended.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::Unauthenticated;
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::time::Time;

/// The protocol of a connection; chosen by the upgrade request and stored with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Engine.IO 4 and Socket.IO 5, for the unmodified `socket.io-client`.
    SocketIo,
    /// The plain JSON envelope, for any WebSocket client.
    Json,
}

/// A connection as stored, from `$connect` until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub dialect: Dialect,
    /// The user and session, once attached.
    pub identity: Option<Identity>,
    /// The token of the upgrade request. The connection receives nothing before it is attached: the gateway
    /// refuses pushes until `$connect` has returned.
    pub upgrade_token: Option<UpgradeToken>,
    /// The client's address as limits know it; empty if unknown.
    pub address: String,
    pub connected_at: Time,
    /// The last ping, or `connected_at`.
    pub pinged_at: Time,
    /// The connection counts as alive until then; a pong or an accepted push extends it.
    pub lease_until: Time,
}

/// The result of checking the access token of an upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpgradeToken {
    Valid(Identity),
    /// The token was rejected; Socket.IO clients receive this reason at CONNECT.
    Rejected(Unauthenticated),
}

impl UpgradeToken {
    /// The identity of a valid token.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Valid(identity) => Some(identity),
            Self::Rejected(_) => None,
        }
    }
}

/// The user and the session behind a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub user_id: UserId,
    /// The session of the access token; when it ends, the connection is closed.
    pub session_id: SessionId,
}

/// An attached connection as the target of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    pub id: ConnectionId,
    pub dialect: Dialect,
    pub user_id: UserId,
}

/// The outcome of attaching an identity to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachOutcome {
    /// The connection carries the identity.
    Attached {
        /// Whether the user came online by it and that is to be announced: the user was offline, and others know it.
        came_online: bool,
    },
    /// The user has as many attached connections as are allowed.
    TooMany,
    /// The connection has ended in the meantime.
    ConnectionGone,
    /// The session has ended in the meantime. No store returns this; [`crate::realtime::attach`] does.
    SessionEnded,
}

/// A user's coming online or going offline that the others may not know yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceChange {
    pub user_id: UserId,
    /// Whether the user came online.
    pub online: bool,
    pub at: Time,
}

/// A connection that was just ended. Ending it again returns nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedConnection {
    pub connection: Connection,
    /// Whether it was its user's last connection, so that the user is offline now.
    pub last: bool,
    /// The rooms that it had joined.
    pub rooms: Vec<ConversationId>,
}

/// Why a connection ended; written to the log once per connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The gateway reported `$disconnect`, with the close code and reason it knows.
    Disconnected { code: Option<u16>, reason: Option<String> },
    /// The client sent Engine.IO's close packet.
    ClosePacket,
    /// The client sent a frame that its protocol does not allow.
    ProtocolError(Cow<'static, str>),
    /// The session behind it ended; the reason that clients receive.
    SessionEnded(Cow<'static, str>),
    /// Its lease ran out: the client answered no ping.
    LeaseExpired,
    /// A push found it gone before `$disconnect` was reported.
    Gone,
    /// The gateway did not accept an event for it. A later event would hide the gap from the client; after a
    /// reconnect, the replay fills it.
    MissedEvent,
    /// The client sent frames faster than its rate limit allows.
    TooManyFrames,
    /// Its user has too many connections.
    TooManyConnections,
    /// The gateway never accepted the greeting after `$connect`.
    NeverOpened,
    /// The gateway still has it, but its record is lost.
    RecordLost,
}

impl CloseReason {
    /// The WebSocket close code that the client or the gateway gave, if one is known.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Disconnected { code, .. } => *code,
            Self::ClosePacket
            | Self::ProtocolError(_)
            | Self::SessionEnded(_)
            | Self::LeaseExpired
            | Self::Gone
            | Self::MissedEvent
            | Self::TooManyFrames
            | Self::TooManyConnections
            | Self::NeverOpened
            | Self::RecordLost => None,
        }
    }

    /// The reason as the log shows it.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Disconnected { reason: Some(reason), .. } if !reason.is_empty() => {
                format!("disconnected: {reason}").into()
            }
            Self::Disconnected { .. } => "disconnected".into(),
            Self::ClosePacket => "closed by client".into(),
            Self::ProtocolError(what) => format!("protocol error: {what}").into(),
            Self::SessionEnded(why) => format!("session ended: {why}").into(),
            Self::LeaseExpired => "no pong from client".into(),
            Self::Gone => "gone when pushed to".into(),
            Self::MissedEvent => "missed an event".into(),
            Self::TooManyFrames => "too many frames".into(),
            Self::TooManyConnections => "too many connections".into(),
            Self::NeverOpened => "never opened".into(),
            Self::RecordLost => "record lost".into(),
        }
    }
}
