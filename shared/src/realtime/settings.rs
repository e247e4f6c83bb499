//! The settings of presence and of connections.

use std::time::Duration;

use crate::config::Env;

/// The users to whom arrivals and departures are announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All connected users.
    Everyone,
    /// Those who share a conversation with the user.
    Contacts,
}

/// The settings of presence and of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealtimeSettings {
    /// A user who leaves and returns within this time is announced as neither.
    pub grace: Duration,
    pub audience: Audience,
    /// An announcement to at most this many sockets is pushed by the function that found the change.
    pub direct: u32,
    /// The most attached connections of one user; 0 is no limit.
    pub max_per_user: u32,
    /// The most connections of one address; 0 is no limit.
    pub max_per_address: u32,
}

impl Default for RealtimeSettings {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(2),
            audience: Audience::Everyone,
            direct: 200,
            max_per_user: 100,
            max_per_address: 2_000,
        }
    }
}

impl RealtimeSettings {
    /// From `PRESENCE_GRACE_MS` (default 2000), `PRESENCE_AUDIENCE` (`everyone`, the default, or `contacts`),
    /// `FANOUT_DIRECT` (200), `MAX_CONNECTIONS_PER_USER` (100) and `MAX_CONNECTIONS_PER_ADDRESS` (2000).
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let default_grace = u64::try_from(default.grace.as_millis()).unwrap_or(u64::MAX);
        let audience = match env.optional("PRESENCE_AUDIENCE").as_deref().map(str::trim) {
            None | Some("everyone") => Audience::Everyone,
            Some("contacts") => Audience::Contacts,
            Some(other) => {
                env.problem(format!("PRESENCE_AUDIENCE must be everyone or contacts, not {other:?}"));
                Audience::Everyone
            }
        };
        Self {
            grace: Duration::from_millis(env.parsed("PRESENCE_GRACE_MS", default_grace)),
            audience,
            direct: env.parsed("FANOUT_DIRECT", default.direct),
            max_per_user: env.parsed("MAX_CONNECTIONS_PER_USER", default.max_per_user),
            max_per_address: env.parsed("MAX_CONNECTIONS_PER_ADDRESS", default.max_per_address),
        }
    }
}
