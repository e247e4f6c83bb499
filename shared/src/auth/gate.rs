//! The gate that every request passes: rate limits for all requests, a live session for most.

use std::fmt;

use super::origin::Origin;
use super::rates::Rates;
use super::token::TokenKeys;
use crate::error::{Error, Unauthenticated};
use crate::id::{SessionId, UserId};
use crate::ports::{RateLimit, RateLimits, Sessions};
use crate::time::Time;

/// What a request shows of its caller.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The access token.
    pub token: Option<&'a str>,
    pub origin: Origin<'a>,
    pub now: Time,
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    pub session_id: SessionId,
}

/// Checks tokens and rate limits.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    pub sessions: &'a dyn Sessions,
    pub limits: &'a dyn RateLimits,
    pub keys: &'a TokenKeys,
    pub rates: &'a Rates,
}

impl Gate<'_> {
    /// The caller of a request that needs one. The request counts toward the user's general limit, or
    /// toward the address's when the token is missing or rejected.
    ///
    /// # Errors
    /// `Unauthenticated`, `RateLimited`, `Unavailable`.
    pub async fn admit(&self, shown: Credentials<'_>) -> Result<Caller, Error> {
        let caller = match shown.token {
            Some(token) => self.identify(token, shown.now).await,
            None => Err(Error::Unauthenticated(Unauthenticated::NoToken)),
        };
        match caller {
            Ok(caller) => {
                self.take("user", caller.user_id.as_str(), self.rates.general, shown.now).await?;
                Ok(caller)
            }
            Err(refused) => {
                self.admit_anonymous(shown).await?;
                Err(refused)
            }
        }
    }

    /// Counts a request that needs no caller toward its address's general limit.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn admit_anonymous(&self, shown: Credentials<'_>) -> Result<(), Error> {
        self.take_by_address("ip", shown.origin, self.rates.general, shown.now).await
    }

    /// The caller that an access token authenticates: the token is ours, has not expired, and its session is
    /// live.
    ///
    /// # Errors
    /// `Unauthenticated`, `Unavailable`.
    pub async fn identify(&self, token: &str, now: Time) -> Result<Caller, Error> {
        let claims = self.keys.check(token, now).map_err(Error::Unauthenticated)?;
        match self.sessions.live(&claims.sid, now).await? {
            Some(session) if session.user_id == claims.sub => {
                Ok(Caller { user_id: claims.sub, session_id: claims.sid })
            }
            _ => Err(Error::Unauthenticated(Unauthenticated::Revoked)),
        }
    }

    /// Takes one from the limit `name` of `subject` (a user id, an account).
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn take(&self, name: &str, subject: &str, limit: RateLimit, now: Time) -> Result<(), Error> {
        self.spend(name, subject, 1, limit, now).await
    }

    /// Takes `cost` from the limit `name` of `subject`.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn spend(
        &self,
        name: &str,
        subject: &str,
        cost: u32,
        limit: RateLimit,
        now: Time,
    ) -> Result<(), Error> {
        if limit.count == 0 {
            return Ok(());
        }
        let key = format!("{name}:{subject}");
        self.limits.spend(&key, cost, limit, now).await?.map_err(Error::RateLimited)
    }

    /// Takes one from the limit `name` of the client's address.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn take_by_address(
        &self,
        name: &str,
        origin: Origin<'_>,
        limit: RateLimit,
        now: Time,
    ) -> Result<(), Error> {
        self.take(name, &self.address_key(origin), limit, now).await
    }

    /// The client's address as limits know it.
    pub fn address_key(&self, origin: Origin<'_>) -> String {
        origin.limit_key(self.rates.trusted_proxies)
    }
}

impl fmt::Debug for Gate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate(…)")
    }
}
