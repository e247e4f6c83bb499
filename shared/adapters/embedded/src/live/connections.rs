//! `Connections`, `Rooms`, `Heartbeats`, `Presence` and `Departures`: each a short look at the board.

use async_trait::async_trait;
use shared::connection::{Attached, Connection, Ended, Identity, Receiver};
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::{Connections, Departures, Heartbeats, Presence, Rooms, Stored};
use shared::time::Time;

use crate::Embedded;

#[async_trait]
impl Connections for Embedded {
    async fn open(&self, connection: &Connection) -> Stored<()> {
        self.live.board().open(connection.clone());
        Ok(())
    }

    async fn get(&self, id: &ConnectionId) -> Stored<Option<Connection>> {
        Ok(self.live.board().get(id).cloned())
    }

    async fn attach(&self, id: &ConnectionId, identity: &Identity, lease_until: Time) -> Stored<Attached> {
        Ok(self.live.board().attach(id, identity, lease_until))
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> Stored<Option<Ended>> {
        Ok(self.live.board().end(id, now))
    }

    async fn of_users(&self, users: &[UserId]) -> Stored<Vec<Receiver>> {
        Ok(self.live.board().of_users(users))
    }

    async fn of_session(&self, session: &SessionId) -> Stored<Vec<Receiver>> {
        Ok(self.live.board().of_session(session))
    }

    async fn everyone(&self, after: Option<&ConnectionId>, limit: u32) -> Stored<Vec<Receiver>> {
        Ok(self.live.board().everyone(after, limit))
    }
}

#[async_trait]
impl Rooms for Embedded {
    async fn join(&self, room: &ConversationId, id: &ConnectionId) -> Stored<()> {
        self.live.board().join(room, id);
        Ok(())
    }

    async fn leave(&self, room: &ConversationId, id: &ConnectionId) -> Stored<()> {
        self.live.board().leave(room, id);
        Ok(())
    }

    async fn joined(&self, room: &ConversationId) -> Stored<Vec<Receiver>> {
        Ok(self.live.board().in_room(room))
    }
}

#[async_trait]
impl Heartbeats for Embedded {
    async fn due(&self, pinged_before: Time, limit: u32) -> Stored<Vec<Connection>> {
        Ok(self.live.board().due(pinged_before, limit))
    }

    async fn pinged(&self, id: &ConnectionId, at: Time) -> Stored<()> {
        self.live.board().pinged(id, at);
        Ok(())
    }

    async fn alive(&self, id: &ConnectionId, lease_until: Time) -> Stored<()> {
        self.live.board().alive(id, lease_until);
        Ok(())
    }

    async fn dead(&self, now: Time, limit: u32) -> Stored<Vec<ConnectionId>> {
        Ok(self.live.board().dead(now, limit))
    }
}

#[async_trait]
impl Presence for Embedded {
    async fn online_of(&self, users: &[UserId]) -> Stored<Vec<UserId>> {
        let board = self.live.board();
        Ok(users.iter().filter(|user| board.is_online(user)).cloned().collect())
    }

    async fn online(&self) -> Stored<Vec<UserId>> {
        Ok(self.live.board().online().cloned().collect())
    }

    async fn count(&self) -> Stored<u64> {
        Ok(self.live.board().online().len() as u64)
    }

    async fn mend(&self, _now: Time) -> Stored<Vec<UserId>> {
        // Who is online is read off the live connections themselves; there is nothing that could disagree.
        Ok(Vec::new())
    }
}

#[async_trait]
impl Departures for Embedded {
    async fn left(&self, users: &[UserId]) -> Stored<Vec<(UserId, Time)>> {
        Ok(self.live.board().left(users))
    }

    async fn departures(&self, limit: u32) -> Stored<Vec<(UserId, Time)>> {
        Ok(self.live.board().departures(limit))
    }

    async fn carried_over(&self, departures: &[(UserId, Time)]) -> Stored<()> {
        self.live.board().carried_over(departures);
        Ok(())
    }
}
