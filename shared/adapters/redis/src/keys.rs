//! Every key, its type and what it serves. `P` is the configured prefix (default `ulak`).
//!
//! | key | type | content | serves |
//! |---|---|---|---|
//! | `{P}:online_users` | Set | user ids | `Presence`: SCARD, SMISMEMBER, SMEMBERS |
//! | `{P}:connections` | Hash | id → `dialect since [user session]` | the connection itself |
//! | `{P}:pings` | Sorted set | id, by the last ping's millisecond | `Heartbeats::due` |
//! | `{P}:leases` | Sorted set | id, by the lease's last millisecond | `Heartbeats::dead` |
//! | `{P}:attached` | Sorted set, one score | `id dialect user` | `Connections::all_attached`, paged by lex order |
//! | `{P}:by_user` | Sorted set, one score | `user id dialect user` | `Connections::of_users`, both presence edges |
//! | `{P}:by_session` | Sorted set, one score | `session id dialect user` | `Connections::of_session` |
//! | `{P}:by_room` | Sorted set, one score | `room id` | `Rooms::joined` |
//! | `{P}:rooms_of` | Sorted set, one score | `id room` | the rooms that `end` leaves |
//! | `{P}:departures` | Sorted set | user ids, by the millisecond of the last edge | `LastSeen` |
//! | `{P:sessions}:s:<session>` | Hash, TTL | the session and the good refresh token's hash | `Sessions::live`, one round trip |
//! | `{P:sessions}:used:<session>` | Sorted set, TTL | hashes that were good, by their expiry | reuse ends the session |
//! | `{P:sessions}:of:<user>` | Sorted set, TTL | session ids, by expiry | `Sessions::{list, end_all}` |
//! | `P:members:<conversation>` | String, TTL | the members' ids | `MemberCache` |
//! | `P:rate:<key>:<window>` | String, TTL | how many were taken | `RateLimits::take` |
//!
//! **Slots.** What is in braces decides the slot of a cluster. All of presence lies in one slot and all of
//! the sessions in another, because each edge touches several keys and must be one script; rate limits
//! and cached members are one key each and spread. A script names every key that it touches in KEYS.
//!
//! **Few big keys instead of one per user or room.** A set of one score is a sorted list of strings, and a
//! prefix of it (`ZRANGEBYLEX [user␠ (user!`) is as good as a key of its own. The names are then known
//! before a script runs, which scripts in a cluster demand, and nothing empty is left behind. A space
//! ends a field: no identifier contains one, and it sorts before all that an identifier may contain.
//!
//! **`{P}:connections` is the truth of presence.** `Presence::mend` makes everything else agree with it, so
//! that the loss of any other key heals within a minute.
//!
//! **No TTL on presence.** Leases end connections, and the sweep needs to see them to announce the edge. A
//! server that evicts should use a `volatile-*` policy, which then takes only what mends itself.

use std::time::Duration;

use shared::id::{ConversationId, SessionId, UserId};
use shared::time::Time;

/// The names of all keys.
pub(crate) struct Keys {
    /// The Set of users online.
    pub(crate) online: String,
    pub(crate) connections: String,
    pub(crate) pings: String,
    pub(crate) leases: String,
    pub(crate) attached: String,
    pub(crate) by_user: String,
    pub(crate) by_session: String,
    pub(crate) by_room: String,
    pub(crate) rooms_of: String,
    pub(crate) last_seen: String,
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        let key = |name: &str| format!("{{{prefix}}}:{name}");
        Self {
            online: key("online_users"),
            connections: key("connections"),
            pings: key("pings"),
            leases: key("leases"),
            attached: key("attached"),
            by_user: key("by_user"),
            by_session: key("by_session"),
            by_room: key("by_room"),
            rooms_of: key("rooms_of"),
            last_seen: key("last_seen"),
            prefix: prefix.to_owned(),
        }
    }

    /// The Hash of a session.
    pub(crate) fn session(&self, id: &SessionId) -> String {
        format!("{{{}:sessions}}:s:{id}", self.prefix)
    }

    /// The hashes that were good for a session.
    pub(crate) fn used(&self, id: &SessionId) -> String {
        format!("{{{}:sessions}}:used:{id}", self.prefix)
    }

    /// The ids of a user's sessions.
    pub(crate) fn sessions_of(&self, user: &UserId) -> String {
        format!("{{{}:sessions}}:of:{user}", self.prefix)
    }

    /// A conversation's members.
    pub(crate) fn members(&self, id: &ConversationId) -> String {
        format!("{}:members:{id}", self.prefix)
    }

    /// The counter of the window that begins at `start`.
    pub(crate) fn rate(&self, key: &str, start: Time) -> String {
        format!("{}:rate:{key}:{}", self.prefix, start.millis())
    }
}

/// The bounds of all members that begin with this field, for `ZRANGEBYLEX` and its like.
pub(crate) fn beginning_with(field: &str) -> (String, String) {
    (format!("[{field} "), format!("({field}!"))
}

/// The lower bound of all members whose first field comes after this one.
pub(crate) fn after(field: &str) -> String {
    format!("[{field}!")
}

/// The start of the fixed window of this length that `now` lies in.
pub(crate) fn window_start(now: Time, window: Duration) -> Time {
    let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
    Time::from_millis(now.millis() - now.millis().rem_euclid(length))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::id::{SessionId, UserId};
    use shared::time::Time;

    use super::{Keys, window_start};

    /// What Redis Cluster hashes: the text between the first brace and the next closing one.
    fn tag(key: &str) -> Option<&str> {
        key.split_once('{')?.1.split_once('}').map(|(tag, _)| tag)
    }

    #[test]
    fn what_one_script_touches_shares_a_slot() {
        let keys = Keys::new("ulak");
        for key in [&keys.online, &keys.connections, &keys.pings, &keys.leases, &keys.attached] {
            assert_eq!(tag(key), Some("ulak"));
        }
        for key in [&keys.by_user, &keys.by_session, &keys.by_room, &keys.rooms_of, &keys.last_seen] {
            assert_eq!(tag(key), Some("ulak"));
        }
        let (id, user) = (SessionId::trusted("s"), UserId::trusted("u"));
        for key in [keys.session(&id), keys.used(&id), keys.sessions_of(&user)] {
            assert_eq!(tag(&key), Some("ulak:sessions"));
        }
        assert_eq!(tag(&keys.rate("login:1", Time::from_millis(0))), None);
    }

    #[test]
    fn a_window_starts_on_a_multiple_of_its_length() {
        for (now, window, start) in [(0, 10, 0), (9, 10, 0), (10, 10, 10), (-1, 10, -10), (5, 0, 5)] {
            let found = window_start(Time::from_millis(now), Duration::from_millis(window));
            assert_eq!(found.millis(), start, "{now} in windows of {window}");
        }
    }
}
