//! The gate that every request passes: rate limits for everybody, a live session for most.

use std::time::Duration;

use super::TokenKeys;
use crate::error::{Error, Unauthenticated};
use crate::id::{SessionId, UserId};
use crate::lambda::http::Request;
use crate::ports::{Limit, RateLimits, Sessions};
use crate::time::Time;

/// A known caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user_id: UserId,
    /// Through which session.
    pub session_id: SessionId,
}

/// All limits; [`Limit::count`] 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Registrations from one address.
    pub register_by_ip: Limit,
    /// Logins from one address.
    pub login_by_ip: Limit,
    /// Logins to one account.
    pub login_by_account: Limit,
    /// Messages of one user.
    pub send_by_user: Limit,
    /// Socket events of one user.
    pub events_by_user: Limit,
    /// Everything of one user, or of one address that shows no token.
    pub general: Limit,
}

impl Rates {
    /// The defaults times `scale`; 0 switches all off, any other scale leaves at least one.
    pub fn scaled(scale: f64) -> Self {
        let limit = |count: u32, secs: u64| {
            let scaled = (f64::from(count) * scale).ceil().clamp(0.0, f64::from(u32::MAX));
            // The cast is exact: the value was clamped to the type's range.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let count = if scale > 0.0 { scaled as u32 } else { 0 };
            Limit { count, window: Duration::from_secs(secs) }
        };
        Self {
            register_by_ip: limit(100, 3_600),
            login_by_ip: limit(100, 600),
            login_by_account: limit(20, 600),
            send_by_user: limit(1_200, 60),
            events_by_user: limit(3_000, 60),
            general: limit(3_000, 60),
        }
    }
}

/// What admitting a caller needs.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    /// Which sessions live.
    pub sessions: &'a dyn Sessions,
    /// Who did how much.
    pub limits: &'a dyn RateLimits,
    /// What tokens are checked with.
    pub keys: &'a TokenKeys,
    /// How much is too much.
    pub rates: &'a Rates,
}

impl Gate<'_> {
    /// The caller of a request that needs one.
    pub async fn admit(&self, request: &Request) -> Result<Caller, Error> {
        let token = request.bearer().ok_or(Error::Unauthenticated(Unauthenticated::NoToken));
        let caller = match token {
            Ok(token) => self.identify(token, request.now).await,
            Err(missing) => Err(missing),
        };
        match caller {
            Ok(caller) => {
                self.take("user", caller.user_id.as_str(), self.rates.general, request.now).await?;
                Ok(caller)
            }
            Err(refused) => {
                self.admit_stranger(request).await?;
                Err(refused)
            }
        }
    }

    /// A request that needs no caller: counted by its address.
    pub async fn admit_stranger(&self, request: &Request) -> Result<(), Error> {
        self.take("ip", &request.source_ip, self.rates.general, request.now).await
    }

    /// Who an access token speaks for: it must be ours, in time, and of a live session.
    pub async fn identify(&self, token: &str, now: Time) -> Result<Caller, Error> {
        let claims = self.keys.check(token, now).map_err(Error::Unauthenticated)?;
        match self.sessions.live(&claims.sid, now).await? {
            Some(session) if session.user_id == claims.sub => {
                Ok(Caller { user_id: claims.sub, session_id: claims.sid })
            }
            _ => Err(Error::Unauthenticated(Unauthenticated::Revoked)),
        }
    }

    /// Takes one from a limit; `what` and `who` name it.
    pub async fn take(&self, what: &str, who: &str, limit: Limit, now: Time) -> Result<(), Error> {
        if limit.count == 0 {
            return Ok(());
        }
        self.limits.take(&format!("{what}:{who}"), limit, now).await?.map_err(Error::RateLimited)
    }
}

impl std::fmt::Debug for Gate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate(…)")
    }
}
