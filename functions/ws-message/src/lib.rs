//! `$default` — handles each frame that a client sends, in Socket.IO or plain JSON, and answers events.

mod answer;
mod connect;
mod events;
mod replay;

use shared::auth::{CONNECT_COST, Gate};
use shared::chat::ChatPorts;
use shared::connection::{AttachOutcome, CloseReason, Connection, Dialect, Identity, UpgradeToken};
use shared::error::Error;
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::ports::{Heartbeats, Presence};
use shared::realtime::announce::Announcer;
use shared::realtime::attach::attach;
use shared::realtime::codec::Inbound;
use shared::realtime::codec::socket_io::MAIN_NAMESPACE;
use shared::realtime::ping::PingTimers;

use answer::answer;

/// The ports of a frame.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub gate: Gate<'a>,
    pub chat: ChatPorts<'a>,
    pub heartbeats: &'a dyn Heartbeats,
    pub presence: &'a dyn Presence,
    pub announcer: Announcer<'a>,
    pub timers: PingTimers,
}

/// Handles one frame. An error is answered on the socket; the invocation succeeds.
///
/// # Errors
/// `Unavailable` when the connection cannot be looked up or ended.
pub async fn handle(ports: Ports<'_>, event: SocketEvent) -> Result<SocketReply, Error> {
    let SocketEventKind::Message { body } = &event.kind else { return Ok(SocketReply::ok()) };
    match ports.chat.fanout.connections.get(&event.connection_id).await? {
        Some(connection) => {
            let frame = Frame { ports, connection: &connection, event: &event };
            frame.renew_lease().await?;
            frame.handle(body).await?;
        }
        // Only a new connection can repair this.
        None => ports.chat.fanout.close_unknown(&event.connection_id).await,
    }
    Ok(SocketReply::ok())
}

/// A frame's connection and invocation.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) connection: &'a Connection,
    pub(crate) event: &'a SocketEvent,
}

impl Frame<'_> {
    /// Every frame of an attached connection is a sign of life. The lease is written when half of it has
    /// passed, not for every frame.
    async fn renew_lease(self) -> Result<(), Error> {
        let timers = self.ports.timers;
        let until = timers.lease(self.event.now);
        let half = (timers.interval() + timers.timeout()) / 2;
        if self.connection.identity.is_some() && self.connection.lease_until < until - half {
            self.ports.heartbeats.renew_lease(&self.connection.id, until).await?;
        }
        Ok(())
    }

    async fn handle(self, body: &str) -> Result<(), Error> {
        let dialect = self.connection.dialect;
        let parsed = dialect.parse(body);
        if let Err(error) = self.spend(parsed.as_ref().map_or(1, cost)).await {
            return self.refuse(parsed.ok(), error).await;
        }
        match parsed {
            Ok(inbound) => self.dispatch(inbound).await,
            Err(error) if dialect.closes_on_parse_error() => {
                self.close(CloseReason::ProtocolError(error.to_string().into())).await
            }
            Err(error) => answer(self, None, Err(Error::field("frame", error.to_string()))).await,
        }
    }

    /// Counts a frame toward the user's limit or, before CONNECT, toward the connection's.
    async fn spend(self, cost: u32) -> Result<(), Error> {
        let (gate, requester) = (self.ports.gate, self.event.requester());
        match &self.connection.identity {
            Some(identity) => {
                let requester = requester.of_session(&identity.user_id, &identity.session_id);
                let user = identity.user_id.as_str();
                gate.spend("events", user, cost, gate.rates.events_by_user, requester).await
            }
            None => {
                let connection = self.connection.id.as_str();
                gate.spend("frames", connection, cost, gate.rates.frames_by_connection, requester).await
            }
        }
    }

    /// Answers an event over the limit with the error. Any other frame over the limit has no answer that the client
    /// would obey, so its connection is closed.
    async fn refuse(self, inbound: Option<Inbound>, error: Error) -> Result<(), Error> {
        match (inbound, error) {
            (Some(Inbound::Event { ack, .. } | Inbound::Refused { ack, .. }), error)
                if self.connection.identity.is_some() =>
            {
                answer(self, ack.as_ref(), Err(error)).await
            }
            (Some(Inbound::Connect { .. }), error @ Error::RateLimited(_)) => {
                connect::refuse(self, &error).await?;
                self.close(CloseReason::TooManyFrames).await
            }
            (_, Error::RateLimited(_)) => self.close(CloseReason::TooManyFrames).await,
            (_, error) => Err(error),
        }
    }

    async fn dispatch(self, inbound: Inbound) -> Result<(), Error> {
        match inbound {
            Inbound::Connect { namespace, auth } => connect::connect(self, &namespace, auth).await,
            Inbound::Event { namespace, name, payload, ack } => {
                let Some(identity) = self.identity(&namespace).await? else {
                    return self.close(CloseReason::ProtocolError("event before CONNECT".into())).await;
                };
                let context = events::EventContext {
                    connection: &self.connection.id,
                    identity: &identity,
                    event: self.event,
                };
                let result = events::run(self.ports, context, &name, payload).await;
                answer(self, ack.as_ref(), result).await
            }
            Inbound::Refused { namespace, ack, why } => {
                if self.identity(&namespace).await?.is_none() {
                    return self.close(CloseReason::ProtocolError("event before CONNECT".into())).await;
                }
                answer(self, ack.as_ref(), Err(Error::field("payload", why))).await
            }
            Inbound::Disconnect { namespace } => connect::disconnect(self, &namespace).await,
            Inbound::Close => self.close(CloseReason::ClosePacket).await,
            // A pong does not extend the connect timeout of an unauthenticated connection.
            Inbound::Pong if self.connection.identity.is_none() => Ok(()),
            Inbound::Pong => {
                let until = self.ports.timers.lease(self.event.now);
                Ok(self.ports.heartbeats.renew_lease(&self.connection.id, until).await?)
            }
            Inbound::Ignore => Ok(()),
        }
    }

    /// The sender's identity; `None` for an event before CONNECT. A JSON connection may send before it was
    /// greeted: its frame proves that the gateway accepts pushes for it, so it is attached here.
    async fn identity(self, namespace: &str) -> Result<Option<Identity>, Error> {
        if namespace != MAIN_NAMESPACE {
            return Ok(None);
        }
        let connection = self.connection;
        match (connection.dialect, &connection.identity, &connection.upgrade_token) {
            (_, Some(identity), _) => Ok(Some(identity.clone())),
            (Dialect::Json, None, Some(UpgradeToken::Valid(identity))) => {
                let attached = self.attach(identity).await?;
                if attached == (AttachOutcome::Attached { came_online: true }) {
                    self.ports.announcer.arrival(&identity.user_id, self.event.now).await;
                }
                Ok(matches!(attached, AttachOutcome::Attached { .. }).then(|| identity.clone()))
            }
            (Dialect::Json | Dialect::SocketIo, None, _) => Ok(None),
        }
    }

    pub(crate) async fn attach(self, identity: &Identity) -> Result<AttachOutcome, Error> {
        let (sessions, announcer) = (self.ports.gate.sessions, self.ports.announcer);
        attach(sessions, announcer, &self.connection.id, identity, self.ports.timers, self.event.now).await
    }

    /// Ends the connection's record and closes its socket.
    pub(crate) async fn close(self, reason: CloseReason) -> Result<(), Error> {
        Ok(self.ports.chat.fanout.close(&self.connection.id, &reason, self.event.now).await?)
    }
}

/// What a frame counts toward its limit.
fn cost(inbound: &Inbound) -> u32 {
    match inbound {
        Inbound::Connect { .. } | Inbound::Disconnect { .. } => CONNECT_COST,
        Inbound::Event { .. }
        | Inbound::Refused { .. }
        | Inbound::Close
        | Inbound::Pong
        | Inbound::Ignore => 1,
    }
}
