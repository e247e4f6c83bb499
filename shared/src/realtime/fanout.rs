//! Pushing one event to many sockets: encoded once per dialect, a bounded number at a time, and forgiving.
//! A dead connection never stops the others; it is forgotten on the way, and its user's last one is
//! announced. What was stored stays stored even if nobody could be told.

use std::collections::VecDeque;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};

use super::codec::EventFrames;
use super::event::ServerEvent;
use crate::connection::{Ended, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::{Connections, Push, PushError, Rooms, Stored};
use crate::time::Time;

/// How many pushes of one event are under way at once.
const AT_ONCE: usize = 64;

/// How many connections are read at once when everybody is told.
const PAGE: u32 = 1_000;

/// Tells sockets.
#[derive(Clone, Copy)]
pub struct Fanout<'a> {
    /// Which sockets there are.
    pub connections: &'a dyn Connections,
    /// Who looks at what.
    pub rooms: &'a dyn Rooms,
    /// The way to them.
    pub push: &'a dyn Push,
}

impl Fanout<'_> {
    /// Tells every device of `users`, but not the connection `except`.
    pub async fn to_users(
        &self,
        users: &[UserId],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) {
        if let Some(receivers) = told(self.connections.of_users(users).await) {
            self.to(&receivers, except, event, now).await;
        }
    }

    /// Tells every connection that has joined the room, but none of the user `but`.
    pub async fn to_room(&self, room: &ConversationId, but: &UserId, event: &ServerEvent<'_>, now: Time) {
        if let Some(mut receivers) = told(self.rooms.joined(room).await) {
            receivers.retain(|receiver| receiver.user_id != *but);
            self.to(&receivers, None, event, now).await;
        }
    }

    /// Tells the given connections, but not `except`, and announces those users that turn out to be gone.
    pub async fn to(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) {
        let gone = self.push_all(receivers, except, event, now).await;
        self.bury(gone, now).await;
    }

    /// Announces that a user is online or offline to everybody else.
    pub async fn announce(&self, user: &UserId, event: &ServerEvent<'_>, now: Time) {
        let gone = self.push_everyone(user, event, now).await;
        self.bury(gone, now).await;
    }

    /// Forgets a connection; its user's last one makes the user offline for everybody. Repeating is harmless.
    pub async fn end(&self, id: &ConnectionId, now: Time) -> Stored<()> {
        if let Some(ended) = self.connections.end(id, now).await? {
            self.bury(vec![ended], now).await;
        }
        Ok(())
    }

    /// Tells a session's sockets that it has ended, says goodbye in their dialect, and closes them.
    pub async fn end_session(&self, session: &SessionId, reason: &str, now: Time) {
        let Some(receivers) = told(self.connections.of_session(session).await) else { return };
        self.to(&receivers, None, &ServerEvent::SessionEnded { reason }, now).await;
        for receiver in &receivers {
            if let Some(goodbye) = receiver.dialect.goodbye() {
                let _ = self.push.send(&receiver.id, &goodbye).await;
            }
            let _ = self.push.close(&receiver.id).await;
            let _ = told(self.end(&receiver.id, now).await);
        }
    }

    /// Announces the users of connections that were their last, and of those that this finds gone.
    async fn bury(&self, ended: Vec<Ended>, now: Time) {
        let mut queue = VecDeque::from(ended);
        while let Some(ended) = queue.pop_front() {
            if let (true, Some(identity)) = (ended.last, &ended.connection.identity) {
                let event = ServerEvent::UserOffline { user_id: &identity.user_id, last_seen_at: now };
                queue.extend(self.push_everyone(&identity.user_id, &event, now).await);
            }
        }
    }

    async fn push_everyone(&self, but: &UserId, event: &ServerEvent<'_>, now: Time) -> Vec<Ended> {
        let mut gone = Vec::new();
        let mut after: Option<ConnectionId> = None;
        while let Some(page) = told(self.connections.everyone(after.as_ref(), PAGE).await) {
            let more = page.len() >= PAGE as usize;
            after = page.last().map(|r| r.id.clone());
            let others: Vec<Receiver> = page.into_iter().filter(|r| r.user_id != *but).collect();
            gone.extend(self.push_all(&others, None, event, now).await);
            if !more {
                break;
            }
        }
        gone
    }

    /// Pushes, and forgets the connections that are gone.
    async fn push_all(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) -> Vec<Ended> {
        let frames = EventFrames::new(event.name(), event);
        // Boxed one by one: a stream of closures over borrows would not be `Send` for every lifetime.
        let pushes: Vec<BoxFuture<'_, Option<&ConnectionId>>> = receivers
            .iter()
            .filter(|r| Some(&r.id) != except)
            .map(|r| self.push_one(&r.id, frames.get(r.dialect)).boxed())
            .collect();
        let gone: Vec<Option<&ConnectionId>> = stream::iter(pushes).buffer_unordered(AT_ONCE).collect().await;
        let mut ended = Vec::new();
        for id in gone.into_iter().flatten() {
            ended.extend(told(self.connections.end(id, now).await).flatten());
        }
        ended
    }

    /// The connection, when the push says that it is no more.
    async fn push_one<'r>(&self, id: &'r ConnectionId, frame: &str) -> Option<&'r ConnectionId> {
        match self.push.send(id, frame).await {
            Ok(()) => None,
            Err(PushError::Gone) => Some(id),
            Err(error @ (PushError::TooLarge | PushError::Busy | PushError::Failed(_))) => {
                tracing::warn!(connection = %id, error = %error, "a push did not arrive");
                None
            }
        }
    }
}

/// What the store said; that it said nothing is logged, for nobody waits for this.
fn told<T>(answer: Stored<T>) -> Option<T> {
    answer.map_err(|error| tracing::warn!(error = %error, "sockets could not be told")).ok()
}
