//! Pushes one event to many sockets: encoded once per dialect, a bounded number of pushes at a time. A
//! connection that is gone never stops the others; its record is ended.
//! A socket that misses an event is closed, so that its client notices the gap and asks for a replay.
//! Failures are logged, not returned: whatever the event reports is stored already.

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

    /// Pushes to the given connections, except to `except`.
    pub async fn to(
        &self,
        receivers: &[Receiver],
        except: Option<&ConnectionId>,
        event: &ServerEvent<'_>,
        now: Time,
    ) {
        let receivers: Vec<&Receiver> = receivers.iter().filter(|r| Some(&r.id) != except).collect();
        self.to_until(&receivers, event, now, || false).await;
    }

    /// Pushes to the given connections in their order until `is_over`, which is asked before each push. Returns how
    /// many of them were pushed to; at least those that run at once.
    pub async fn to_until(
        &self,
        receivers: &[&Receiver],
        event: &ServerEvent<'_>,
        now: Time,
        mut is_over: impl FnMut() -> bool + Send,
    ) -> usize {
        let frames = EventFrames::new(event.name(), event);
        // Boxed one by one: a stream of closures over borrows would not be `Send` for every lifetime.
        let pushes: Vec<BoxFuture<'_, Option<PushError>>> =
            receivers.iter().map(|r| self.push_one(r, frames.get(r.dialect), event, now).boxed()).collect();
        let mut started = 0;
        let mut pushes = pushes.into_iter();
        let next = std::iter::from_fn(|| {
            let push = (started < AT_ONCE || !is_over()).then(|| pushes.next()).flatten();
            started += usize::from(push.is_some());
            push
        });
        let missed: Vec<PushError> =
            stream::iter(next).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        // One line for all: a gateway that is down fails thousands of pushes at once.
        if let Some(error) = missed.first() {
            let missed = missed.len();
            tracing::warn!(event = event.name(), missed, %error, "pushes failed; the sockets are closed");
        }
        started
    }

    /// Ends a connection's record and logs why. If it was its user's last one, the user goes offline; the heartbeat
    /// announces that. Ending it again does nothing. The socket itself stays open.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end(&self, id: &ConnectionId, reason: &CloseReason, now: Time) -> StoreResult<()> {
        if let Some(ended) = self.connections.end(id, now).await? {
            log_closed(&ended, reason);
        }
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

    /// Pushes to one connection. Ends its record if it is gone; closes it, and returns the error, if it misses the
    /// event.
    async fn push_one(
        &self,
        receiver: &Receiver,
        frame: &str,
        event: &ServerEvent<'_>,
        now: Time,
    ) -> Option<PushError> {
        let id = &receiver.id;
        match deliver(self.push, id, frame).await {
            Delivery::Accepted => None,
            Delivery::Gone => {
                log_error(self.end(id, &CloseReason::Gone, now).await);
                None
            }
            Delivery::Missed(error) => {
                self.note_missed(receiver, event, now).await;
                // The record first: from then on, no event is pushed to this connection.
                log_error(self.close(id, &CloseReason::MissedEvent, now).await);
                Some(error)
            }
            Delivery::TooLarge => {
                tracing::error!(connection_id = %id, event = event.name(), "event larger than a frame may be");
                None
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
