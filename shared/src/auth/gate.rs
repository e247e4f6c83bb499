//! The gate that every request passes: rate limits for all requests, a live session for most.

use std::fmt;

use super::origin::Origin;
use super::policy::SessionPolicy;
use super::rates::Rates;
use super::security_log::{Requester, SecurityEvent, log_security};
use super::token::TokenKeys;
use crate::error::{Error, Unauthenticated};
use crate::id::{SessionId, UserId};
use crate::ports::{KnownAddresses, RateLimit, RateLimits, Sessions};
use crate::time::Time;

/// What a request shows of its caller.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The access token.
    pub token: Option<&'a str>,
    pub requester: Requester<'a>,
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
    pub addresses: &'a dyn KnownAddresses,
    pub keys: &'a TokenKeys,
    pub rates: &'a Rates,
    pub policy: SessionPolicy,
}

impl Gate<'_> {
    /// The caller of a request that needs one. The request counts toward the user's general limit, or
    /// toward the address's when the token is missing or rejected.
    ///
    /// # Errors
    /// `Unauthenticated`, `RateLimited`, `Unavailable`.
    pub async fn admit(&self, shown: Credentials<'_>) -> Result<Caller, Error> {
        let caller = match shown.token {
            Some(token) => self.identify(token, shown.requester.now).await,
            None => Err(Error::Unauthenticated(Unauthenticated::NoToken)),
        };
        match caller {
            Ok(caller) => {
                let requester = shown.requester.of_session(&caller.user_id, &caller.session_id);
                self.take("user", caller.user_id.as_str(), self.rates.general, requester).await?;
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
        self.take_by_address("ip", self.rates.general, shown.requester).await
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

    /// The caller of a request that may repeat one which has ended the caller's own session: the token is ours and has
    /// not expired, but its session is not live any more.
    ///
    /// # Errors
    /// `Unauthenticated`, also while the session is live; `Unavailable`.
    pub async fn identify_ended(&self, token: &str, now: Time) -> Result<Caller, Error> {
        let claims = self.keys.check(token, now).map_err(Error::Unauthenticated)?;
        match self.sessions.live(&claims.sid, now).await? {
            None => Ok(Caller { user_id: claims.sub, session_id: claims.sid }),
            Some(_) => Err(Error::Unauthenticated(Unauthenticated::Revoked)),
        }
    }

    /// Takes one from the limit `name` of `subject` (a user id, an account). A limit that is used up is logged.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn take(
        &self,
        name: &'static str,
        subject: &str,
        limit: RateLimit,
        requester: Requester<'_>,
    ) -> Result<(), Error> {
        self.spend(name, subject, 1, limit, requester).await
    }

    /// As [`take`](Self::take), but takes `cost`.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn spend(
        &self,
        name: &'static str,
        subject: &str,
        cost: u32,
        limit: RateLimit,
        requester: Requester<'_>,
    ) -> Result<(), Error> {
        if limit.count == 0 {
            return Ok(());
        }
        let key = Self::limit_key(name, subject);
        self.limits.spend(&key, cost, limit, requester.now).await?.map_err(|limited| {
            log_security(SecurityEvent::LimitHit(name), requester);
            Error::RateLimited(limited)
        })
    }

    /// As [`spend`](Self::spend), for work that goes on with less when too little is left: `false` then, without a line in
    /// the security log.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn try_spend(
        &self,
        name: &str,
        subject: &str,
        cost: u32,
        limit: RateLimit,
        now: Time,
    ) -> Result<bool, Error> {
        Ok(self.limits.spend(&Self::limit_key(name, subject), cost, limit, now).await?.is_ok())
    }

    /// Gives back one that [`take`](Self::take) took for a request of the same time.
    pub async fn give_back(
        &self,
        name: &'static str,
        subject: &str,
        limit: RateLimit,
        requester: Requester<'_>,
    ) {
        let key = Self::limit_key(name, subject);
        if let Err(error) = self.limits.give_back(&key, limit, requester.now).await {
            tracing::warn!(%error, limit = name, "request stays counted");
        }
    }

    /// Remembers the requester's address as one from which the user has logged in. A store that is down is only logged.
    pub async fn remember_address(&self, user: &UserId, requester: Requester<'_>) {
        let address = self.address_key(requester.origin);
        if let Err(error) = self.addresses.remember(user, &address, requester.now).await {
            tracing::warn!(%error, user_id = %user, "address not remembered");
        }
    }

    /// Takes one from the limit `name` of the client's address.
    ///
    /// # Errors
    /// `RateLimited`, `Unavailable`.
    pub async fn take_by_address(
        &self,
        name: &'static str,
        limit: RateLimit,
        requester: Requester<'_>,
    ) -> Result<(), Error> {
        self.take(name, &self.address_key(requester.origin), limit, requester).await
    }

    /// The client's address as limits know it.
    pub fn address_key(&self, origin: Origin<'_>) -> String {
        origin.limit_key(self.rates.trusted_proxies)
    }

    fn limit_key(name: &str, subject: &str) -> String {
        format!("{name}:{subject}")
    }
}

impl fmt::Debug for Gate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate(…)")
    }
}
