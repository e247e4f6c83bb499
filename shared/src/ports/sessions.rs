//! Sessions and rate limits: small, hot, and rebuilt by logging in again if they are lost.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RateLimited;
use crate::id::{SessionId, UserId};
use crate::ports::StoreResult;
use crate::session::{Rotation, Session};
use crate::time::Time;

/// Which logins are alive.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a new session.
    async fn open(&self, session: &Session) -> StoreResult<()>;
    /// The session if it lives at `now`.
    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>>;
    /// Atomically: the good hash becomes `new_hash`; a hash that was good before ends the session.
    async fn rotate(
        &self,
        id: &SessionId,
        shown_hash: &str,
        new_hash: &str,
        now: Time,
        expires_at: Time,
    ) -> StoreResult<Rotation>;
    /// Ends one session of the user's; `false` if there was none.
    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool>;
    /// Ends all sessions of the user's but `except`; those that it ended.
    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>>;
    /// The user's sessions that live at `now`, newest first.
    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>>;
}

/// So many in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many in a window; 0 means no limit.
    pub count: u32,
    /// How long a window is.
    pub window: Duration,
}

/// Counts who does how much.
#[async_trait]
pub trait RateLimits: Send + Sync {
    /// Takes one from `key`'s fixed window that `now` lies in; the limit's answer when none is left.
    async fn take(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<Result<(), RateLimited>>;
}
