//! Every key with its type, content and purpose. `P` is the configured prefix (default `ulak`).
//!
//! | key | type | content | used by |
//! |---|---|---|---|
//! | `{P}:online_users` | Set | user ids | `Presence`: SCARD, SMISMEMBER, SMEMBERS |
//! | `{P}:connections` | Hash | id → `dialect since[@address] [user session]` | `Connections::get`; the source of all other presence keys |
//! | `{P}:pings` | Sorted set | id, scored by the time of the last ping in milliseconds | `Heartbeats::due` |
//! | `{P}:leases` | Sorted set | id, scored by the end of the lease in milliseconds | `Heartbeats::expired` |
//! | `{P}:attached` | Sorted set, one score | `id dialect user` | `Connections::all_attached`, paged by lex order |
//! | `{P}:by_user` | Sorted set, one score | `user id dialect user` | `Connections::of_users`, both presence edges |
//! | `{P}:by_session` | Sorted set, one score | `session id dialect user` | `Connections::of_session` |
//! | `{P}:by_address` | Sorted set, one score | `address id` | the limit of `Connections::open` |
//! | `{P}:arrivals`, `{P}:departures` | Sorted sets | users whose change is not announced, scored by its time or by the end of its claim in milliseconds | `PresenceChanges` |
//! | `{P}:changed_at` | Hash | user → the time of that change; a different score means that it is claimed | `PresenceChanges` |
//! | `{P}:by_room` | Sorted set, one score | `room id` | `Rooms::joined` |
//! | `{P}:rooms_of` | Sorted set, one score | `id room` | the rooms that `Connections::end` leaves |
//! | `{P}:last_seen` | Sorted set | user ids, scored by the time they went offline in milliseconds | `LastSeen` |
//! | `{P:sessions}:s:<session>` | Hash, TTL | the session and the hash of its current refresh token | `Sessions::live`, one round trip |
//! | `{P:sessions}:used:<session>` | Sorted set, TTL | earlier refresh hashes, scored by their expiry | detects a reused refresh token |
//! | `{P:sessions}:of:<user>` | Sorted set, TTL | session ids, scored by expiry | `Sessions::{list, end_all}` |
//! | `P:members:<conversation>` | String, TTL | the members' user ids, separated by spaces | `MemberCache` |
//! | `P:addresses:<user>` | Sorted set, TTL | IP addresses, scored by the latest login from there in milliseconds | `KnownAddresses` |
//! | `P:missed:<user>` | Hash, TTL | conversation → lowest `seq` that a client misses | `Connections::{note_missed, missed}` |
//! | `P:rate:<key>:<window>` | String, TTL | the number of permits taken | `RateLimits::take` |
//!
//! **Slots.** The text in braces decides the slot in a cluster. All presence keys share one slot and all
//! session keys another, because one script updates several of them atomically. Rate limits, addresses and cached
//! members are single keys, so they spread over all slots. A script receives every key it touches in KEYS,
//! as Redis Cluster requires.
//!
//! **A few large keys instead of one key per user or room.** A sorted set with one score is ordered by its
//! members, so a range over one prefix (`ZRANGEBYLEX [user␠ (user!`) replaces a separate key. All key names
//! are then known before a script runs, and no empty keys are left behind. A space ends each field: ids
//! contain no space, and a space sorts before every character that an id may contain.
//!
//! **`{P}:connections` is authoritative.** `Presence::reconcile` rebuilds `pings`, `leases`, `attached`,
//! `by_user`, `by_session`, `by_address` and `online_users` from it. The heartbeat calls it every minute, so a lost index
//! is back within a minute. Rooms and last-seen times are not rebuilt.
//!
//! **No TTL on presence.** Leases end connections. An expired connection must still be readable, because the
//! heartbeat announces that its user went offline. A server that evicts keys should use a `volatile-*`
//! policy: it evicts only keys with a TTL, and losing those costs at most a new login.

use std::time::Duration;

use shared::id::{ConversationId, SessionId, UserId};
use shared::time::Time;

/// The names of all keys. The table above says what each one holds.
pub(crate) struct Keys {
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
    pub(crate) by_address: String,
    pub(crate) arrivals: String,
    pub(crate) departures: String,
    pub(crate) changed_at: String,
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
            by_address: key("by_address"),
            arrivals: key("arrivals"),
            departures: key("departures"),
            changed_at: key("changed_at"),
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn session(&self, id: &SessionId) -> String {
        format!("{{{}:sessions}}:s:{id}", self.prefix)
    }

    /// The session's earlier refresh hashes.
    pub(crate) fn used_hashes(&self, id: &SessionId) -> String {
        format!("{{{}:sessions}}:used:{id}", self.prefix)
    }

    pub(crate) fn sessions_of(&self, user: &UserId) -> String {
        format!("{{{}:sessions}}:of:{user}", self.prefix)
    }

    pub(crate) fn members(&self, id: &ConversationId) -> String {
        format!("{}:members:{id}", self.prefix)
    }

    pub(crate) fn addresses(&self, user: &UserId) -> String {
        format!("{}:addresses:{user}", self.prefix)
    }

    pub(crate) fn missed(&self, user: &UserId) -> String {
        format!("{}:missed:{user}", self.prefix)
    }

    /// The counter of the window that begins at `start`.
    pub(crate) fn rate(&self, key: &str, start: Time) -> String {
        format!("{}:rate:{key}:{}", self.prefix, start.millis())
    }
}

/// The bounds of all members whose first field is `field`, for `ZRANGEBYLEX`.
pub(crate) fn prefix_range(field: &str) -> (String, String) {
    (format!("[{field} "), format!("({field}!"))
}

/// The lower bound of all members whose first field sorts after `field`, for `ZRANGEBYLEX`.
pub(crate) fn lower_bound_after(field: &str) -> String {
    format!("[{field}!")
}

/// The start of the fixed window that contains `now`; windows start at multiples of their length.
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

    /// The part of a key that Redis Cluster hashes: the text between the first `{` and the next `}`.
    fn hash_tag(key: &str) -> Option<&str> {
        key.split_once('{')?.1.split_once('}').map(|(tag, _)| tag)
    }

    #[test]
    fn keys_of_one_script_share_a_cluster_slot() {
        let keys = Keys::new("ulak");
        for key in [&keys.online, &keys.connections, &keys.pings, &keys.leases, &keys.attached] {
            assert_eq!(hash_tag(key), Some("ulak"));
        }
        for key in [&keys.by_address, &keys.arrivals, &keys.departures, &keys.changed_at] {
            assert_eq!(hash_tag(key), Some("ulak"));
        }
        for key in [&keys.by_user, &keys.by_session, &keys.by_room, &keys.rooms_of, &keys.last_seen] {
            assert_eq!(hash_tag(key), Some("ulak"));
        }
        let (id, user) = (SessionId::trusted("s"), UserId::trusted("u"));
        for key in [keys.session(&id), keys.used_hashes(&id), keys.sessions_of(&user)] {
            assert_eq!(hash_tag(&key), Some("ulak:sessions"));
        }
        assert_eq!(hash_tag(&keys.rate("login:1", Time::from_millis(0))), None);
    }

    #[test]
    fn a_window_starts_at_a_multiple_of_its_length() {
        for (now, window, start) in [(0, 10, 0), (9, 10, 0), (10, 10, 10), (-1, 10, -10), (5, 0, 5)] {
            let found = window_start(Time::from_millis(now), Duration::from_millis(window));
            assert_eq!(found.millis(), start, "{now} in windows of {window}");
        }
    }
}
