//! `Connections`, `Rooms`, `Heartbeats`, `Presence`, `PresenceChanges` and `LastSeen` on the connection table.

use async_trait::async_trait;
use shared::connection::{AttachOutcome, Connection, EndedConnection, PresenceChange, Receiver};
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::{
    Attachment, Connections, Heartbeats, LastSeen, Presence, PresenceChanges, PresenceClaim, Rooms,
    StoreResult,
};
use shared::time::Time;

use crate::Embedded;

#[async_trait]
impl Connections for Embedded {
    async fn open(&self, connection: &Connection, max_per_address: u32) -> StoreResult<bool> {
        Ok(self.memory.connections().open(connection.clone(), max_per_address))
    }

    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        Ok(self.memory.connections().get(id).cloned())
    }

    async fn attach(&self, id: &ConnectionId, attachment: &Attachment<'_>) -> StoreResult<AttachOutcome> {
        Ok(self.memory.connections().attach(id, attachment))
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>> {
        Ok(self.memory.connections().end(id, now))
    }

    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>> {
        Ok(self.memory.connections().of_users(users))
    }

    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>> {
        Ok(self.memory.connections().of_session(session))
    }

    async fn sessions(&self, after: Option<&SessionId>, limit: u32) -> StoreResult<Vec<SessionId>> {
        Ok(self.memory.connections().sessions(after, limit))
    }

    async fn note_missed(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        seq: u64,
        now: Time,
    ) -> StoreResult<()> {
        self.memory.missed().note(user, conversation, seq, now);
        Ok(())
    }

    async fn missed(&self, user: &UserId, now: Time) -> StoreResult<Vec<(ConversationId, u64)>> {
        Ok(self.memory.missed().of(user, now))
    }

    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>> {
        Ok(self.memory.connections().all_attached(after, limit))
    }
}

#[async_trait]
impl Rooms for Embedded {
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()> {
        self.memory.connections().join(room, id);
        Ok(())
    }

    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> StoreResult<()> {
        self.memory.connections().leave(room, id);
        Ok(())
    }

    async fn joined(&self, room: &ConversationId) -> StoreResult<Vec<Receiver>> {
        Ok(self.memory.connections().in_room(room))
    }
}

#[async_trait]
impl Heartbeats for Embedded {
    async fn due(&self, pinged_before: Time, limit: u32) -> StoreResult<Vec<Connection>> {
        Ok(self.memory.connections().due(pinged_before, limit))
    }

    async fn mark_pinged(&self, id: &ConnectionId, at: Time) -> StoreResult<()> {
        self.memory.connections().mark_pinged(id, at);
        Ok(())
    }

    async fn renew_lease(&self, id: &ConnectionId, lease_until: Time) -> StoreResult<()> {
        self.memory.connections().renew_lease(id, lease_until);
        Ok(())
    }

    async fn expired(&self, now: Time, limit: u32) -> StoreResult<Vec<ConnectionId>> {
        Ok(self.memory.connections().expired(now, limit))
    }
}

#[async_trait]
impl Presence for Embedded {
    async fn online_of(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let table = self.memory.connections();
        Ok(users.iter().filter(|user| table.is_online(user)).cloned().collect())
    }

    async fn online(&self) -> StoreResult<Vec<UserId>> {
        Ok(self.memory.connections().online().cloned().collect())
    }

    async fn count(&self) -> StoreResult<u64> {
        Ok(self.memory.connections().online().len() as u64)
    }

    async fn reconcile(&self, _now: Time) -> StoreResult<Vec<UserId>> {
        // Presence is computed from the open connections, so it always agrees with them.
        Ok(Vec::new())
    }
}

#[async_trait]
impl PresenceChanges for Embedded {
    async fn claim(&self, claim: PresenceClaim<'_>) -> StoreResult<Vec<PresenceChange>> {
        Ok(self.memory.connections().changes.claim(&claim))
    }

    async fn mark_announced(&self, changes: &[PresenceChange]) -> StoreResult<()> {
        self.memory.connections().changes.mark_announced(changes);
        Ok(())
    }

    async fn counts_as_online(&self, user: &UserId) -> StoreResult<bool> {
        let table = self.memory.connections();
        Ok(table.is_online(user) || table.changes.has_unclaimed_departure(user))
    }
}

#[async_trait]
impl LastSeen for Embedded {
    async fn times_of(&self, users: &[UserId]) -> StoreResult<Vec<(UserId, Time)>> {
        Ok(self.memory.connections().times_of(users))
    }

    async fn unsynced(&self, limit: u32) -> StoreResult<Vec<(UserId, Time)>> {
        Ok(self.memory.connections().unsynced(limit))
    }

    async fn mark_synced(&self, last_seen: &[(UserId, Time)]) -> StoreResult<()> {
        self.memory.connections().mark_synced(last_seen);
        Ok(())
    }
}
