//! Live connections and what follows from them: rooms, heartbeats, who is online. All of it may be lost;
//! the heartbeat and the next connect mend it.

use async_trait::async_trait;

use crate::connection::{AttachOutcome, Connection, EndedConnection, Identity, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::StoreResult;
use crate::time::Time;

/// Which sockets are open. The first-connect and last-disconnect edges are decided here, atomically.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Stores a connection without an identity.
    async fn open(&self, connection: &Connection) -> StoreResult<()>;
    /// The connection, if it has not ended.
    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>>;
    /// Says who is behind it and moves its lease; repeating is harmless.
    async fn attach(
        &self,
        id: &ConnectionId,
        identity: &Identity,
        lease_until: Time,
    ) -> StoreResult<AttachOutcome>;
    /// Forgets it with its rooms; `None` if it was forgotten before. A user's last one leaves a departure
    /// behind, at `now`.
    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>>;
    /// Every attached connection of these users.
    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>>;
    /// Every connection attached under this session.
    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>>;
    /// Attached connections by id, after `after`.
    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>>;
}

/// Which connections look at which conversation.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Joins an open connection to a room.
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()>;
    /// Leaves it.
    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()>;
    /// The room's attached connections.
    async fn joined(&self, room: &ConversationId) -> StoreResult<Vec<Receiver>>;
}

/// Which connections are due for a ping, and which have been silent too long.
#[async_trait]
pub trait Heartbeats: Send + Sync {
    /// Connections last pinged at or before `pinged_before`, oldest first.
    async fn due(&self, pinged_before: Time, limit: u32) -> StoreResult<Vec<Connection>>;
    /// A ping was sent.
    async fn mark_pinged(&self, id: &ConnectionId, at: Time) -> StoreResult<()>;
    /// A sign of life came; the lease moves forward, never back.
    async fn renew_lease(&self, id: &ConnectionId, lease_until: Time) -> StoreResult<()>;
    /// Connections whose lease ended before `now`.
    async fn expired(&self, now: Time, limit: u32) -> StoreResult<Vec<ConnectionId>>;
}

/// Who is online: the `online_users` Set.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Those of `users` that are online.
    async fn online_of(&self, users: &[UserId]) -> StoreResult<Vec<UserId>>;
    /// Everybody online.
    async fn online(&self) -> StoreResult<Vec<UserId>>;
    /// How many are online.
    async fn count(&self) -> StoreResult<u64>;
    /// Makes the set agree with the live connections; users that it took out (a lost edge) come back so
    /// that they can be announced, and their departure is `now`.
    async fn reconcile(&self, now: Time) -> StoreResult<Vec<UserId>>;
}

/// When users went offline, until their documents say so.
///
/// A last connection may be found gone wherever something is pushed, also where no documents are at hand. So
/// the time stays beside the edge, decided with it, and is carried over to the documents by the heartbeat.
#[async_trait]
pub trait LastSeen: Send + Sync {
    /// When those of `users` went offline last whose departure was not yet carried over.
    async fn times_of(&self, users: &[UserId]) -> StoreResult<Vec<(UserId, Time)>>;
    /// Up to `limit` departures that were not yet carried over.
    async fn unsynced(&self, limit: u32) -> StoreResult<Vec<(UserId, Time)>>;
    /// They were carried over: each is forgotten, unless its user has left once more since.
    async fn mark_synced(&self, last_seen: &[(UserId, Time)]) -> StoreResult<()>;
}
