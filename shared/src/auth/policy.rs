//! How long sessions live, how many a user may have, and how long a replaced refresh token may be repeated.

use std::time::Duration;

use crate::config::Env;

/// The rules for sessions, as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// How long after a rotation the replaced refresh token is answered with its successor. Two tabs of one browser
    /// refresh at the same moment, and a client repeats a request whose answer was lost.
    pub refresh_grace: Duration,
    /// How long a session may live, however often it is refreshed.
    pub lifetime: Duration,
    /// How many sessions a user may have; opening another one ends the one that expires first. At least 1.
    pub per_user: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            refresh_grace: Duration::from_secs(10),
            lifetime: Duration::from_secs(90 * 24 * 3600),
            per_user: 20,
        }
    }
}

impl SessionPolicy {
    /// From `REFRESH_GRACE_SECONDS` (default 10; 0 allows no repeat), `SESSION_LIFETIME_SECONDS` (default 90 days) and
    /// `SESSIONS_PER_USER` (default 20).
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let policy = Self {
            refresh_grace: env.seconds("REFRESH_GRACE_SECONDS", default.refresh_grace.as_secs()),
            lifetime: env.seconds("SESSION_LIFETIME_SECONDS", default.lifetime.as_secs()),
            per_user: env.parsed("SESSIONS_PER_USER", default.per_user),
        };
        if policy.per_user == 0 || policy.lifetime.is_zero() {
            env.problem("SESSIONS_PER_USER and SESSION_LIFETIME_SECONDS must be at least 1");
            return default;
        }
        policy
    }
}
