//! Open connections and what depends on them: rooms, heartbeats, and the online users. All of it may be lost;
//! the heartbeat and new connections restore it.

use std::time::Duration;

use async_trait::async_trait;

use crate::connection::{AttachOutcome, Connection, EndedConnection, Identity, PresenceChange, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::StoreResult;
use crate::time::Time;

/// How long a missed message is remembered after the latest miss. The client is disconnected at once and reconnects
/// within seconds; one that cannot be reached notices within the ping interval and timeout.
pub const MISSED_FOR: Duration = Duration::from_secs(15 * 60);

/// An identity for a connection.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// The user and the session.
    pub identity: &'a Identity,
    /// The end of the connection's lease.
    pub lease_until: Time,
    /// The most attached connections of one user; 0 means no limit.
    pub max_per_user: u32,
    /// The time of the attach.
    pub now: Time,
}

/// Stores the open connections. Decides atomically which attach brings a user online and which end takes the user
/// offline: the two alternate for each user, however many calls run at once. The change that has to be announced
/// is stored in the same atomic step; see [`PresenceChanges`].
#[async_trait]
pub trait Connections: Send + Sync {
    /// Stores a connection without an identity. The gateway gives every connection a new id; for an id that is
    /// open already, the adapter may keep or replace the stored connection. Returns `false` and stores nothing when
    /// `max_per_address` connections of the same address are open; 0 and an empty address mean no limit.
    async fn open(&self, connection: &Connection, max_per_address: u32) -> StoreResult<bool>;
    /// The connection, if it has not ended.
    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>>;
    /// Sets the connection's identity and moves its lease forward, never back. Returns
    /// [`AttachOutcome::ConnectionGone`] and changes nothing if the connection has ended or never existed, and
    /// [`AttachOutcome::TooMany`] if the user has as many attached connections as are allowed. A repeat returns the
    /// same until the change is marked as announced, then `came_online: false`. Replaces an identity that the
    /// connection had.
    async fn attach(&self, id: &ConnectionId, attachment: &Attachment<'_>) -> StoreResult<AttachOutcome>;
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
    /// Remembers for [`MISSED_FOR`] that a client of this user misses the message `seq` of a conversation. Keeps the
    /// lowest `seq` of each conversation, so a repeat changes nothing.
    async fn note_missed(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        seq: u64,
        now: Time,
    ) -> StoreResult<()>;
    /// The lowest `seq` of each conversation that a client of this user misses, as noted in the last
    /// [`MISSED_FOR`]; in no order.
    async fn missed(&self, user: &UserId, now: Time) -> StoreResult<Vec<(ConversationId, u64)>>;
    /// The attached connections of all users, sorted by id.
    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>>;
}

/// Which presence changes to claim.
#[derive(Debug, Clone, Copy)]
pub struct PresenceClaim<'a> {
    /// Only this user's change.
    pub user: Option<&'a UserId>,
    /// The time of the claim.
    pub now: Time,
    /// Users who left after this time are not claimed: they may return.
    pub left_before: Time,
    /// Until when no other claim finds these changes.
    pub claimed_until: Time,
    /// The most changes.
    pub limit: u32,
}

/// Stores the changes that have to be announced: users who came online, and users who left. An attach or an end stores
/// its change in its own atomic step, so that the change survives a caller that ends before it has announced it.
///
/// Each user has at most one change. A user who leaves before the arrival was claimed, or returns before the departure
/// was claimed, has none: neither is announced.
#[async_trait]
pub trait PresenceChanges: Send + Sync {
    /// Unclaimed changes, oldest first. Each is returned to one caller, and again after `claimed_until`
    /// if it was not marked as announced.
    async fn claim(&self, claim: PresenceClaim<'_>) -> StoreResult<Vec<PresenceChange>>;
    /// Forgets these changes. Keeps a user's change that differs. A repeat changes nothing.
    async fn mark_announced(&self, changes: &[PresenceChange]) -> StoreResult<()>;
    /// Whether the user counts as online for others: the user is online, or has left and the departure is unclaimed.
    async fn counts_as_online(&self, user: &UserId) -> StoreResult<bool>;
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
    /// that counted as online without a connection; they go offline as by [`Connections::end`] at `now`. Not one atomic step, but it never undoes an attach or end that runs at the same time. A
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
