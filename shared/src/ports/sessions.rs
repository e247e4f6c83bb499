//! Sessions and rate limits: small values that are read on nearly every request. If they are lost, users log in
//! again.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RateLimited;
use crate::id::{SessionId, UserId};
use crate::ports::StoreResult;
use crate::session::{Rotation, RotationRequest, Session};
use crate::time::Time;

/// Stores live sessions. A session is live until it is ended or `expires_at` is reached.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a new session. When the user then has more than `per_user` live ones, ends those that expire first (of
    /// equal ones those with the lowest id) in the same atomic step, never the new one, and returns them. A repeat may
    /// fail; it never changes another session.
    async fn open(&self, session: &Session, per_user: u32) -> StoreResult<Vec<SessionId>>;
    /// The session, if it is live at `now`.
    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>>;
    /// Those of `ids` that are not live at `now`, in the order of `ids`.
    async fn not_live(&self, ids: &[SessionId], now: Time) -> StoreResult<Vec<SessionId>>;
    /// Exchanges the hash of a session's refresh token, in one atomic step:
    ///
    /// * If `shown_hash` is the current one, `new_hash` replaces it, `last_seen_at` becomes `now`, and `expires_at` the
    ///   earlier of the request's and `created_at` plus `lifetime`: [`Rotation::Rotated`], with the session as it is
    ///   afterwards. A session that is older than `lifetime` is [`Rotation::Unknown`] instead.
    /// * If the latest rotation replaced `shown_hash` less than `grace` before `now`, nothing changes:
    ///   [`Rotation::Repeated`], with that rotation's `sealed_token`. So a repeat changes nothing, and callers that show
    ///   one token at once all get the same successor.
    /// * If `shown_hash` was replaced before that, the session ends: [`Rotation::Reused`], with the session as it was.
    ///   An adapter may forget replaced hashes whose tokens have expired, and the oldest of more than 1,000.
    /// * Otherwise, and for a session that is not live, nothing changes: [`Rotation::Unknown`].
    async fn rotate(&self, request: &RotationRequest) -> StoreResult<Rotation>;
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
    /// Gives one back to the window that contains `now`, the time of the take. Does nothing when none is taken or the
    /// limit has no count. A repeat gives back another one.
    async fn give_back(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<()>;
}

/// Remembers from which addresses users have logged in. If it is lost, no user is locked out: an owner's login may only
/// have to wait while others try to guess the password.
#[async_trait]
pub trait KnownAddresses: Send + Sync {
    /// Remembers the address, and forgets all but the 20 that were remembered last. A repeat changes nothing.
    async fn remember(&self, user: &UserId, address: &str, now: Time) -> StoreResult<()>;
    /// Whether the address is remembered for this user. An adapter may forget an address after 90 days.
    async fn knows(&self, user: &UserId, address: &str) -> StoreResult<bool>;
    /// Forgets all addresses of the user. A repeat changes nothing.
    async fn forget(&self, user: &UserId) -> StoreResult<()>;
}
