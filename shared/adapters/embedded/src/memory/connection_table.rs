//! All open connections, with a lookup table for each query. Every change updates all tables under one lock, so a
//! user's first connect and last disconnect are each seen exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use shared::connection::{AttachOutcome, Connection, EndedConnection, Receiver};
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::Attachment;
use shared::time::Time;

use super::presence_changes::UnannouncedChanges;

/// A user is online while `by_user` has an entry for them.
#[derive(Default)]
pub(super) struct ConnectionTable {
    by_id: BTreeMap<ConnectionId, Entry>,
    by_user: HashMap<UserId, BTreeSet<ConnectionId>>,
    by_session: BTreeMap<SessionId, BTreeSet<ConnectionId>>,
    by_room: HashMap<ConversationId, BTreeSet<ConnectionId>>,
    by_ping: BTreeSet<(Time, ConnectionId)>,
    by_lease: BTreeSet<(Time, ConnectionId)>,
    by_address: HashMap<String, BTreeSet<ConnectionId>>,
    /// When users went offline, until the time is copied to their documents.
    last_seen: BTreeMap<UserId, Time>,
    pub(super) changes: UnannouncedChanges,
}

struct Entry {
    connection: Connection,
    rooms: HashSet<ConversationId>,
}

impl ConnectionTable {
    /// Returns whether the connection was stored.
    pub(super) fn open(&mut self, connection: Connection, max_per_address: u32) -> bool {
        // Connection ids are unique. If a gateway reuses one all the same, the old connection has ended.
        self.end(&connection.id, connection.connected_at);
        let id = connection.id.clone();
        if !connection.address.is_empty() {
            if is_full(self.by_address.get(&connection.address), max_per_address) {
                return false;
            }
            add_id(&mut self.by_address, &connection.address, &id);
        }
        self.by_ping.insert((connection.pinged_at, id.clone()));
        self.by_lease.insert((connection.lease_until, id.clone()));
        if let Some(identity) = &connection.identity {
            add_id(&mut self.by_user, &identity.user_id, &id);
            self.by_session.entry(identity.session_id.clone()).or_default().insert(id.clone());
        }
        self.by_id.insert(id, Entry { connection, rooms: HashSet::new() });
        true
    }

    pub(super) fn get(&self, id: &ConnectionId) -> Option<&Connection> {
        self.by_id.get(id).map(|entry| &entry.connection)
    }

    pub(super) fn attach(&mut self, id: &ConnectionId, attachment: &Attachment<'_>) -> AttachOutcome {
        let Attachment { identity, lease_until, max_per_user, now } = *attachment;
        let Some(entry) = self.by_id.get_mut(id) else { return AttachOutcome::ConnectionGone };
        let own = self.by_user.get(&identity.user_id);
        if own.is_none_or(|own| !own.contains(id)) && is_full(own, max_per_user) {
            return AttachOutcome::TooMany;
        }
        let before = entry.connection.identity.replace(identity.clone());
        let is_repeat = before.as_ref() == Some(identity);
        // Read before the old identity is removed: attaching the same user again must not bring them online twice.
        let was_online = self.is_online(&identity.user_id);
        if let Some(before) = before.filter(|before| before != identity) {
            remove_id(&mut self.by_user, &before.user_id, id);
            self.remove_from_session(&before.session_id, id);
        }
        add_id(&mut self.by_user, &identity.user_id, id);
        self.by_session.entry(identity.session_id.clone()).or_default().insert(id.clone());
        self.renew_lease(id, lease_until);
        let user = &identity.user_id;
        let came_online = match was_online {
            false => self.changes.come_online(user, now),
            true => is_repeat && self.changes.has_arrival(user),
        };
        AttachOutcome::Attached { came_online }
    }

    pub(super) fn end(&mut self, id: &ConnectionId, now: Time) -> Option<EndedConnection> {
        let Entry { connection, rooms } = self.by_id.remove(id)?;
        self.by_ping.remove(&(connection.pinged_at, id.clone()));
        self.by_lease.remove(&(connection.lease_until, id.clone()));
        remove_id(&mut self.by_address, &connection.address, id);
        for room in &rooms {
            remove_id(&mut self.by_room, room, id);
        }
        let last = connection.identity.as_ref().is_some_and(|identity| {
            self.remove_from_session(&identity.session_id, id);
            remove_id(&mut self.by_user, &identity.user_id, id)
        });
        if let Some(identity) = connection.identity.as_ref().filter(|_| last) {
            self.last_seen.insert(identity.user_id.clone(), now);
            self.changes.go_offline(&identity.user_id, now);
        }
        Some(EndedConnection { connection, last, rooms: rooms.into_iter().collect() })
    }

    pub(super) fn of_users(&self, users: &[UserId]) -> Vec<Receiver> {
        let users: BTreeSet<&UserId> = users.iter().collect();
        self.receivers(users.into_iter().filter_map(|user| self.by_user.get(user)).flatten())
    }

    pub(super) fn of_session(&self, session: &SessionId) -> Vec<Receiver> {
        self.receivers(self.by_session.get(session).into_iter().flatten())
    }

    pub(super) fn sessions(&self, after: Option<&SessionId>, limit: u32) -> Vec<SessionId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let sessions = self.by_session.range((after.map_or(Unbounded, Excluded), Unbounded));
        sessions.map(|(session, _)| session.clone()).take(limit as usize).collect()
    }

    fn remove_from_session(&mut self, session: &SessionId, id: &ConnectionId) {
        if let Some(ids) = self.by_session.get_mut(session) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_session.remove(session);
            }
        }
    }

    pub(super) fn in_room(&self, room: &ConversationId) -> Vec<Receiver> {
        self.receivers(self.by_room.get(room).into_iter().flatten())
    }

    pub(super) fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> Vec<Receiver> {
        use std::ops::Bound::{Excluded, Unbounded};
        let entries = self.by_id.range((after.map_or(Unbounded, Excluded), Unbounded));
        entries.filter_map(|(_, entry)| receiver(&entry.connection)).take(limit as usize).collect()
    }

    pub(super) fn join(&mut self, room: &ConversationId, id: &ConnectionId) {
        if let Some(entry) = self.by_id.get_mut(id) {
            entry.rooms.insert(room.clone());
            add_id(&mut self.by_room, room, id);
        }
    }

    pub(super) fn leave(&mut self, room: &ConversationId, id: &ConnectionId) {
        if let Some(entry) = self.by_id.get_mut(id) {
            entry.rooms.remove(room);
            remove_id(&mut self.by_room, room, id);
        }
    }

    pub(super) fn due(&self, pinged_before: Time, limit: u32) -> Vec<Connection> {
        let due = self.by_ping.iter().take_while(|(pinged_at, _)| *pinged_at <= pinged_before);
        due.filter_map(|(_, id)| self.get(id).cloned()).take(limit as usize).collect()
    }

    pub(super) fn mark_pinged(&mut self, id: &ConnectionId, at: Time) {
        if let Some(entry) = self.by_id.get_mut(id) {
            self.by_ping.remove(&(entry.connection.pinged_at, id.clone()));
            entry.connection.pinged_at = at;
            self.by_ping.insert((at, id.clone()));
        }
    }

    pub(super) fn renew_lease(&mut self, id: &ConnectionId, lease: Time) {
        if let Some(entry) = self.by_id.get_mut(id).filter(|entry| entry.connection.lease_until < lease) {
            self.by_lease.remove(&(entry.connection.lease_until, id.clone()));
            entry.connection.lease_until = lease;
            self.by_lease.insert((lease, id.clone()));
        }
    }

    pub(super) fn expired(&self, now: Time, limit: u32) -> Vec<ConnectionId> {
        let expired = self.by_lease.iter().take_while(|(lease, _)| *lease < now);
        expired.map(|(_, id)| id.clone()).take(limit as usize).collect()
    }

    pub(super) fn is_online(&self, user: &UserId) -> bool {
        self.by_user.contains_key(user)
    }

    pub(super) fn online(&self) -> impl ExactSizeIterator<Item = &UserId> {
        self.by_user.keys()
    }

    pub(super) fn times_of(&self, users: &[UserId]) -> Vec<(UserId, Time)> {
        users.iter().filter_map(|user| Some((user.clone(), *self.last_seen.get(user)?))).collect()
    }

    pub(super) fn unsynced(&self, limit: u32) -> Vec<(UserId, Time)> {
        self.last_seen.iter().take(limit as usize).map(|(user, at)| (user.clone(), *at)).collect()
    }

    pub(super) fn mark_synced(&mut self, last_seen: &[(UserId, Time)]) {
        for (user, at) in last_seen {
            if self.last_seen.get(user) == Some(at) {
                self.last_seen.remove(user);
            }
        }
    }

    fn receivers<'a>(&'a self, ids: impl Iterator<Item = &'a ConnectionId>) -> Vec<Receiver> {
        ids.filter_map(|id| receiver(self.get(id)?)).collect()
    }
}

/// `None` for a connection without an identity; events are pushed to users only.
fn receiver(connection: &Connection) -> Option<Receiver> {
    let identity = connection.identity.as_ref()?;
    Some(Receiver {
        id: connection.id.clone(),
        dialect: connection.dialect,
        user_id: identity.user_id.clone(),
    })
}

/// Whether `limit` ids are there already; 0 is no limit.
fn is_full(ids: Option<&BTreeSet<ConnectionId>>, limit: u32) -> bool {
    limit > 0 && ids.map_or(0, BTreeSet::len) >= limit as usize
}

fn add_id<K: Hash + Eq + Clone>(map: &mut HashMap<K, BTreeSet<ConnectionId>>, key: &K, id: &ConnectionId) {
    map.entry(key.clone()).or_default().insert(id.clone());
}

/// Removes the key with its last id; returns whether it did.
fn remove_id<K: Hash + Eq>(map: &mut HashMap<K, BTreeSet<ConnectionId>>, key: &K, id: &ConnectionId) -> bool {
    let Some(ids) = map.get_mut(key) else { return false };
    let last = ids.remove(id) && ids.is_empty();
    if last {
        map.remove(key);
    }
    last
}
