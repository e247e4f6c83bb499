//! Pushes one event to many sockets: encoded once per dialect, a bounded number of pushes at a time. A
//! connection that is gone never stops the others; its record is ended, and its user's last one is announced.
//! Failures are logged, not returned: whatever the event reports is stored already.

use std::collections::VecDeque;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};

use super::codec::EventFrames;
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

    /// As [`close_session`](Self::close_session), but an error is only logged; the heartbeat then closes the sockets.
    pub async fn end_session(&self, session: &SessionId, reason: &'static str, now: Time) {
        let _ = log_error(self.close_session(session, reason, now).await);
    }

    /// Sends the event `session_ended` and the dialect's disconnect frame to a session's sockets, and closes them.
    ///
    /// # Errors
    /// `Unavailable` when the sockets cannot be listed.
    pub async fn close_session(
        &self,
        session: &SessionId,
        reason: &'static str,
        now: Time,
    ) -> StoreResult<()> {
        let receivers = self.connections.of_session(session).await?;
        self.close_all(&receivers, reason, now).await;
        Ok(())
    }

    /// As [`close_session`](Self::close_session), for all sockets of a user.
    ///
    /// # Errors
    /// `Unavailable` when the sockets cannot be listed.
    pub async fn close_user(&self, user: &UserId, reason: &'static str, now: Time) -> StoreResult<()> {
        let receivers = self.connections.of_users(std::slice::from_ref(user)).await?;
        self.close_all(&receivers, reason, now).await;
        Ok(())
    }

    async fn close_all(&self, receivers: &[Receiver], reason: &'static str, now: Time) {
        self.to(receivers, None, &ServerEvent::SessionEnded { reason }, now).await;
        for receiver in receivers {
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

    /// Pushes, and ends the records of the connections that are gone.
    async fn push_all(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) -> Vec<EndedConnection> {
        let frames = EventFrames::new(event.name(), event);
        // Boxed one by one: a stream of closures over borrows would not be `Send` for every lifetime.
        let pushes: Vec<BoxFuture<'_, Option<&ConnectionId>>> = receivers
            .iter()
            .filter(|r| Some(&r.id) != except)
            .map(|r| self.push_one(&r.id, frames.get(r.dialect)).boxed())
            .collect();
        let gone: Vec<Option<&ConnectionId>> = stream::iter(pushes).buffer_unordered(AT_ONCE).collect().await;
        let mut all_ended = Vec::new();
        for id in gone.into_iter().flatten() {
            if let Some(ended) = log_error(self.connections.end(id, now).await).flatten() {
                log_closed(&ended, &CloseReason::Gone);
                all_ended.push(ended);
            }
        }
        all_ended
    }

    /// Returns the connection if the push finds it gone.
    async fn push_one<'r>(&self, id: &'r ConnectionId, frame: &str) -> Option<&'r ConnectionId> {
        match self.push.send(id, frame).await {
            Ok(()) => None,
            Err(PushError::Gone) => Some(id),
            Err(error @ (PushError::TooLarge | PushError::Busy | PushError::Failed(_))) => {
                tracing::warn!(connection_id = %id, %error, "push failed");
                None
            }
        }
    }
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
