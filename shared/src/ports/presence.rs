//! Open connections and what depends on them: rooms, heartbeats, and the online users. All of it may be lost;
//! the heartbeat and new connections restore it.

use async_trait::async_trait;

use crate::connection::{AttachOutcome, Connection, EndedConnection, Identity, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::StoreResult;
use crate::time::Time;

/// Stores the open connections. Decides atomically which attach brings a user online and which end takes the user
/// offline: the two alternate for each user, however many calls run at once.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Stores a connection without an identity. The gateway gives every connection a new id; for an id that is
    /// open already, the adapter may keep or replace the stored connection.
    async fn open(&self, connection: &Connection) -> StoreResult<()>;
    /// The connection, if it has not ended.
    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>>;
    /// Sets the connection's identity and moves its lease forward, never back. Returns
    /// [`AttachOutcome::ConnectionGone`] and changes nothing if the connection has ended or never existed. A repeat
    /// returns `came_online: false`. Replaces an identity that the connection had.
    async fn attach(
        &self,
        id: &ConnectionId,
        identity: &Identity,
        lease_until: Time,
    ) -> StoreResult<AttachOutcome>;
    /// Removes the connection from the store and from its rooms. `None` if it is not stored, as for a repeat. If it
    /// was its user's last attached connection, the user goes offline and `now` becomes the user's last-seen
    /// time (see [`LastSeen`]), in the same atomic step.
    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>>;
    /// The attached connections of these users, in no order.
    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>>;
    /// The connections attached under this session, in no order.
    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>>;
    /// The sessions under which connections are attached, each once and sorted. A page may be shorter than `limit`
    /// although others follow; only an empty page is the last one.
    async fn sessions(&self, after: Option<&SessionId>, limit: u32) -> StoreResult<Vec<SessionId>>;
    /// The attached connections of all users, sorted by id.
    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>>;
}

/// Stores which connections have joined which conversation's room. The caller checks membership.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Joins a connection to a room. Does nothing if the connection has ended, or has joined already.
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()>;
    /// Removes a connection from a room. Does nothing if it has not joined.
    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()>;
    /// The room's connections that have an identity, in no order.
    async fn joined(&self, room: &ConversationId) -> StoreResult<Vec<Receiver>>;
}

/// Stores when each open connection was pinged and how long its lease lasts.
#[async_trait]
pub trait Heartbeats: Send + Sync {
    /// Connections last pinged at or before `pinged_before`, attached or not, oldest ping first.
    async fn due(&self, pinged_before: Time, limit: u32) -> StoreResult<Vec<Connection>>;
    /// Sets the time of the last ping. Does nothing if the connection has ended.
    async fn mark_pinged(&self, id: &ConnectionId, at: Time) -> StoreResult<()>;
    /// Moves the lease forward, never back. Does nothing if the connection has ended.
    async fn renew_lease(&self, id: &ConnectionId, lease_until: Time) -> StoreResult<()>;
    /// Connections whose lease ended before `now`, attached or not, in no order.
    async fn expired(&self, now: Time, limit: u32) -> StoreResult<Vec<ConnectionId>>;
}

/// The online users: those with at least one attached connection. In Redis this is the Set `online_users`.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Those of `users` that are online.
    async fn online_of(&self, users: &[UserId]) -> StoreResult<Vec<UserId>>;
    /// All online users, each once and in no order.
    async fn online(&self) -> StoreResult<Vec<UserId>>;
    /// The number of online users.
    async fn count(&self) -> StoreResult<u64>;
    /// Repairs the online users and all indexes after a partial loss, from the stored connections. Returns the users
    /// that counted as online without a connection, for the caller to announce as offline; `now` becomes their
    /// last-seen time. Not one atomic step, but it never undoes an attach or end that runs at the same time. A
    /// repeat returns nothing more.
    async fn reconcile(&self, now: Time) -> StoreResult<Vec<UserId>>;
}

/// Stores when users went offline until the heartbeat has copied the times into their documents.
///
/// A user's last connection may be found gone in a function without a document store. Its time is therefore kept
/// beside the connections, and is written in the same atomic step that takes the user offline.
#[async_trait]
pub trait LastSeen: Send + Sync {
    /// For those of `users` whose last-seen time was not copied yet, that time.
    async fn times_of(&self, users: &[UserId]) -> StoreResult<Vec<(UserId, Time)>>;
    /// Up to `limit` users whose last-seen time was not copied yet, in no order.
    async fn unsynced(&self, limit: u32) -> StoreResult<Vec<(UserId, Time)>>;
    /// Forgets these times after they were copied. Keeps a user's time that differs from the given one, because the
    /// user has gone offline again since. A repeat changes nothing.
    async fn mark_synced(&self, last_seen: &[(UserId, Time)]) -> StoreResult<()>;
}
