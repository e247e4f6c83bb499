//! Pushes one event to many sockets: encoded once per dialect, a bounded number of pushes at a time. A
//! connection that is gone never stops the others; its record is ended, and its user's last one is announced.
//! A socket that misses an event is closed, so that its client notices the gap and asks for a replay.
//! Failures are logged, not returned: whatever the event reports is stored already.

use std::collections::VecDeque;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};

use super::codec::EventFrames;
use super::delivery::{Delivery, deliver};
use super::event::ServerEvent;
use crate::connection::{CloseReason, EndedConnection, Receiver};
use crate::id::{ConnectionId, ConversationId, SessionId, UserId};
use crate::ports::{Connections, Push, PushError, Rooms, StoreResult};
use crate::time::Time;

/// How many pushes of one event run at once.
const AT_ONCE: usize = 64;

/// How many connections are read at once for an event to all users.
const PAGE: u32 = 1_000;

/// Pushes events to sockets.
#[derive(Clone, Copy)]
pub struct Fanout<'a> {
    pub connections: &'a dyn Connections,
    pub rooms: &'a dyn Rooms,
    pub push: &'a dyn Push,
}

impl<'a> Fanout<'a> {
    /// One store of connections and one way to push.
    pub fn over<C: Connections + Rooms, P: Push>(connections: &'a C, push: &'a P) -> Self {
        Self { connections, rooms: connections, push }
    }

    /// Pushes to every device of `users`, except to the connection `except`.
    pub async fn to_users(
        &self,
        users: &[UserId],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) {
        if let Some(receivers) = log_error(self.connections.of_users(users).await) {
            self.to(&receivers, except, event, now).await;
        }
    }

    /// Pushes to every connection that has joined the room, except to those of the user `except`.
    pub async fn to_room(&self, room: &ConversationId, except: &UserId, event: &ServerEvent<'_>, now: Time) {
        if let Some(mut receivers) = log_error(self.rooms.joined(room).await) {
            receivers.retain(|receiver| receiver.user_id != *except);
            self.to(&receivers, None, event, now).await;
        }
    }

    /// Pushes to the given connections, except to `except`, and announces the users whose last connection
    /// turned out to be gone.
    pub async fn to(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) {
        let gone = self.push_all(receivers, except, event, now).await;
        self.announce_offline(gone, now).await;
    }

    /// Pushes a user's presence event to all other users.
    pub async fn announce(&self, user: &UserId, event: &ServerEvent<'_>, now: Time) {
        let gone = self.push_to_others(user, event, now).await;
        self.announce_offline(gone, now).await;
    }

    /// Ends a connection's record, logs why, and announces the user as offline if it was the last one.
    /// Ending it again does nothing. The socket itself stays open.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end(&self, id: &ConnectionId, reason: &CloseReason, now: Time) -> StoreResult<()> {
        if let Some(ended) = self.connections.end(id, now).await? {
            log_closed(&ended, reason);
            self.announce_offline(vec![ended], now).await;
        }
        Ok(())
    }

    /// Detaches the user from a connection whose socket stays open, and announces the user as offline if it
    /// was the last connection.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn detach(&self, id: &ConnectionId, now: Time) -> StoreResult<()> {
        let ended = self.connections.end(id, now).await?;
        self.announce_offline(ended.into_iter().collect(), now).await;
        Ok(())
    }

    /// Ends a connection's record and closes its socket.
    ///
    /// # Errors
    /// `Unavailable`; the socket is closed all the same.
    pub async fn close(&self, id: &ConnectionId, reason: &CloseReason, now: Time) -> StoreResult<()> {
        // The record first: `$disconnect` then finds nothing to end, and the log shows this reason.
        let ended = self.end(id, reason, now).await;
        // A socket that is gone already is closed.
        let _ = self.push.close(id).await;
        ended
    }

    /// Closes a socket whose record is lost, and logs it if the socket was still open.
    pub async fn close_unknown(&self, id: &ConnectionId) {
        if self.push.close(id).await.is_ok() {
            let reason = CloseReason::RecordLost;
            tracing::info!(connection_id = %id, reason = %reason.text(), "connection ended");
        }
    }

    /// Sends the event `session_ended` and the dialect's disconnect frame to a session's sockets, and closes them.
    pub async fn end_session(&self, session: &SessionId, reason: &'static str, now: Time) {
        let Some(receivers) = log_error(self.connections.of_session(session).await) else { return };
        self.to(&receivers, None, &ServerEvent::SessionEnded { reason }, now).await;
        for receiver in &receivers {
            if let Some(frame) = receiver.dialect.disconnect_frame() {
                let _ = self.push.send(&receiver.id, &frame).await;
            }
            let _ = log_error(self.close(&receiver.id, &CloseReason::SessionEnded(reason.into()), now).await);
        }
    }

    /// Announces the users of connections that were their last, and of those that this finds gone.
    async fn announce_offline(&self, ended: Vec<EndedConnection>, now: Time) {
        let mut queue = VecDeque::from(ended);
        while let Some(ended) = queue.pop_front() {
            if let (true, Some(identity)) = (ended.last, &ended.connection.identity) {
                let event = ServerEvent::UserOffline { user_id: &identity.user_id, last_seen_at: now };
                queue.extend(self.push_to_others(&identity.user_id, &event, now).await);
            }
        }
    }

    async fn push_to_others(
        &self,
        user: &UserId,
        event: &ServerEvent<'_>,
        now: Time,
    ) -> Vec<EndedConnection> {
        let mut gone = Vec::new();
        let mut after: Option<ConnectionId> = None;
        while let Some(page) = log_error(self.connections.all_attached(after.as_ref(), PAGE).await) {
            let more = page.len() >= PAGE as usize;
            after = page.last().map(|r| r.id.clone());
            let others: Vec<Receiver> = page.into_iter().filter(|r| r.user_id != *user).collect();
            gone.extend(self.push_all(&others, None, event, now).await);
            if !more {
                break;
            }
        }
        gone
    }

    /// Pushes. Ends the records of the connections that are gone, and closes those that missed the event.
    async fn push_all(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) -> Vec<EndedConnection> {
        let frames = EventFrames::new(event.name(), event);
        // Boxed one by one: a stream of closures over borrows would not be `Send` for every lifetime.
        let pushes: Vec<BoxFuture<'_, Pushed>> = receivers
            .iter()
            .filter(|r| Some(&r.id) != except)
            .map(|r| self.push_one(r, frames.get(r.dialect), event, now).boxed())
            .collect();
        let pushed: Vec<Pushed> = stream::iter(pushes).buffer_unordered(AT_ONCE).collect().await;
        // One line for all: a gateway that is down fails thousands of pushes at once.
        let mut errors = pushed.iter().filter_map(|pushed| pushed.missed.as_ref());
        if let Some(error) = errors.next() {
            let missed = 1 + errors.count();
            tracing::warn!(event = event.name(), missed, %error, "pushes failed; the sockets are closed");
        }
        pushed.into_iter().filter_map(|pushed| pushed.ended).collect()
    }

    async fn push_one(&self, receiver: &Receiver, frame: &str, event: &ServerEvent<'_>, now: Time) -> Pushed {
        let id = &receiver.id;
        match deliver(self.push, id, frame).await {
            Delivery::Accepted => Pushed::default(),
            Delivery::Gone => {
                Pushed { ended: self.end_record(id, &CloseReason::Gone, now).await, missed: None }
            }
            Delivery::Missed(error) => {
                self.note_missed(receiver, event, now).await;
                // The record first: from then on, no event is pushed to this connection.
                let ended = self.end_record(id, &CloseReason::MissedEvent, now).await;
                let _ = self.push.close(id).await;
                Pushed { ended, missed: Some(error) }
            }
            Delivery::TooLarge => {
                tracing::error!(connection_id = %id, event = event.name(), "event larger than a frame may be");
                Pushed::default()
            }
        }
    }

    /// Remembers which message a client misses: another invocation may have pushed a later one meanwhile.
    async fn note_missed(&self, receiver: &Receiver, event: &ServerEvent<'_>, now: Time) {
        if let ServerEvent::MessageReceived { message } | ServerEvent::MessageSent { message } = event {
            let (user, conversation) = (&receiver.user_id, &message.conversation_id);
            log_error(self.connections.note_missed(user, conversation, message.seq, now).await);
        }
    }

    async fn end_record(
        &self,
        id: &ConnectionId,
        reason: &CloseReason,
        now: Time,
    ) -> Option<EndedConnection> {
        let ended = log_error(self.connections.end(id, now).await).flatten()?;
        log_closed(&ended, reason);
        Some(ended)
    }
}

/// The outcome of one push.
#[derive(Default)]
struct Pushed {
    /// The record that this push ended.
    ended: Option<EndedConnection>,
    /// Why the client misses the event.
    missed: Option<PushError>,
}

/// The one log line of a connection's end.
fn log_closed(ended: &EndedConnection, reason: &CloseReason) {
    let connection = &ended.connection;
    let user_id = connection.identity.as_ref().map(|identity| identity.user_id.as_str());
    tracing::info!(
        connection_id = %connection.id,
        user_id,
        code = reason.code(),
        reason = %reason.text(),
        "connection ended"
    );
}

/// Logs a store error and returns `None`; fan-out has no caller to report to.
fn log_error<T>(result: StoreResult<T>) -> Option<T> {
    result.map_err(|error| tracing::warn!(%error, "fan-out could not reach the connection store")).ok()
}
