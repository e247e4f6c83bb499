//! Sessions and rate limits: small values that are read on nearly every request. If they are lost, users log in
//! again.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RateLimited;
use crate::id::{SessionId, UserId};
use crate::ports::StoreResult;
use crate::session::{Rotation, Session};
use crate::time::Time;

/// Stores live sessions. A session is live until it is ended or `expires_at` is reached.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a new session. A repeat may fail; it never changes another session.
    async fn open(&self, session: &Session) -> StoreResult<()>;
    /// The session, if it is live at `now`.
    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>>;
    /// Exchanges the hash of a session's refresh token, in one atomic step:
    ///
    /// * If `shown_hash` is the current one, `new_hash` replaces it, and `last_seen_at` and `expires_at` are set to
    ///   `now` and `expires_at`: [`Rotation::Rotated`], with the session as it is afterwards.
    /// * If `shown_hash` was replaced before, the session ends: [`Rotation::Reused`], with the session as it
    ///   was. So a repeat ends the session. An adapter may forget the oldest of many replaced hashes.
    /// * Otherwise, and for a session that is not live, nothing changes: [`Rotation::Unknown`].
    async fn rotate(
        &self,
        id: &SessionId,
        shown_hash: &str,
        new_hash: &str,
        now: Time,
        expires_at: Time,
    ) -> StoreResult<Rotation>;
    /// Ends a session of this user. `false` if the user has no such session, as for a repeat.
    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool>;
    /// Ends all sessions of the user but `except`. Returns those that this call ended, in no order. A session that is
    /// opened while it runs may remain.
    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>>;
    /// The user's sessions that are live at `now`, newest `created_at` first.
    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>>;
}

/// At most `count` per `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many are allowed in each window; 0 means no limit.
    pub count: u32,
    /// The length of a window.
    pub window: Duration,
}

/// Counts requests against limits.
#[async_trait]
pub trait RateLimits: Send + Sync {
    /// Takes `cost` of `key`'s allowance in the window that contains `now`. Windows are fixed: they follow each other
    /// from the Unix epoch on. When less is left, takes nothing and returns how long until the next window. A cost
    /// over the limit takes a whole window. Without a limit (`count` 0) it always succeeds. A repeat takes again.
    async fn spend(
        &self,
        key: &str,
        cost: u32,
        limit: RateLimit,
        now: Time,
    ) -> StoreResult<Result<(), RateLimited>>;
    /// Takes one.
    async fn take(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<Result<(), RateLimited>> {
        self.spend(key, 1, limit, now).await
    }
}
