//! Live connections and what follows from them: rooms, heartbeats, who is online. All of it may be lost;
//! the heartbeat and the next connect mend it.

use async_trait::async_trait;

use crate::connection::{Attached, Connection, Ended, Identity, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::Stored;
use crate::time::Time;

/// Which sockets are open. The first-connect and last-disconnect edges are decided here, atomically.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Stores a connection without an identity.
    async fn open(&self, connection: &Connection) -> Stored<()>;
    /// The connection, if it has not ended.
    async fn get(&self, id: &ConnectionId) -> Stored<Option<Connection>>;
    /// Says who is behind it and moves its lease; repeating is harmless.
    async fn attach(&self, id: &ConnectionId, identity: &Identity, lease_until: Time) -> Stored<Attached>;
    /// Forgets it with its rooms; `None` if it was forgotten before. A user's last one leaves a departure
    /// behind, at `now`.
    async fn end(&self, id: &ConnectionId, now: Time) -> Stored<Option<Ended>>;
    /// Every attached connection of these users.
    async fn of_users(&self, users: &[UserId]) -> Stored<Vec<Receiver>>;
    /// Every connection attached under this session.
    async fn of_session(&self, session: &SessionId) -> Stored<Vec<Receiver>>;
    /// Attached connections by id, after `after`.
    async fn everyone(&self, after: Option<&ConnectionId>, limit: u32) -> Stored<Vec<Receiver>>;
}

/// Which connections look at which conversation.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Joins an open connection to a room.
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> Stored<()>;
    /// Leaves it.
    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> Stored<()>;
    /// The room's attached connections.
    async fn joined(&self, room: &ConversationId) -> Stored<Vec<Receiver>>;
}

/// Which connections are due for a ping, and which have been silent too long.
#[async_trait]
pub trait Heartbeats: Send + Sync {
    /// Connections last pinged at or before `pinged_before`, oldest first.
    async fn due(&self, pinged_before: Time, limit: u32) -> Stored<Vec<Connection>>;
    /// A ping was sent.
    async fn pinged(&self, id: &ConnectionId, at: Time) -> Stored<()>;
    /// A sign of life came; the lease moves forward, never back.
    async fn alive(&self, id: &ConnectionId, lease_until: Time) -> Stored<()>;
    /// Connections whose lease ended before `now`.
    async fn dead(&self, now: Time, limit: u32) -> Stored<Vec<ConnectionId>>;
}

/// Who is online: the `online_users` Set.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Those of `users` that are online.
    async fn online_of(&self, users: &[UserId]) -> Stored<Vec<UserId>>;
    /// Everybody online.
    async fn online(&self) -> Stored<Vec<UserId>>;
    /// How many are online.
    async fn count(&self) -> Stored<u64>;
    /// Makes the set agree with the live connections; users that it took out (a lost edge) come back so
    /// that they can be announced, and their departure is `now`.
    async fn mend(&self, now: Time) -> Stored<Vec<UserId>>;
}

/// When users went offline, until their documents say so.
///
/// A last connection may be found gone wherever something is pushed, also where no documents are at hand. So
/// the time stays beside the edge, decided with it, and is carried over to the documents by the heartbeat.
#[async_trait]
pub trait Departures: Send + Sync {
    /// When those of `users` went offline last whose departure was not yet carried over.
    async fn left(&self, users: &[UserId]) -> Stored<Vec<(UserId, Time)>>;
    /// Up to `limit` departures that were not yet carried over.
    async fn departures(&self, limit: u32) -> Stored<Vec<(UserId, Time)>>;
    /// They were carried over: each is forgotten, unless its user has left once more since.
    async fn carried_over(&self, departures: &[(UserId, Time)]) -> Stored<()>;
}
