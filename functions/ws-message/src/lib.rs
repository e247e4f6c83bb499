//! `$default` — every frame of every socket: Socket.IO or plain JSON, one typed event, one answer.

mod answer;
mod connect;
mod events;
mod replay;

use shared::auth::Gate;
use shared::connection::{Claim, Connection, Identity};
use shared::error::Error;
use shared::id::ConnectionId;
use shared::lambda::websocket::{SocketEvent, SocketEventKind, SocketReply};
use shared::message::send::Chat;
use shared::ports::{Heartbeats, Presence};
use shared::realtime::attach::{Admitted, attach, lease};
use shared::realtime::codec::engine_io::PingTimers;
use shared::realtime::codec::socket_io::MAIN_NAMESPACE;
use shared::realtime::codec::{AckId, Dialect, Inbound};

use answer::{answer, close};

/// What a frame may touch.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Who speaks.
    pub gate: Gate<'a>,
    /// What is said.
    pub chat: Chat<'a>,
    /// That somebody is there.
    pub heartbeats: &'a dyn Heartbeats,
    /// Who else is there.
    pub presence: &'a dyn Presence,
    /// The heartbeat's times.
    pub timers: PingTimers,
}

/// Handles one frame. What is wrong with it is told in the socket; the invocation itself succeeds.
///
/// # Errors
/// `Unavailable` when not even the connection could be looked up.
pub async fn handle(ports: Ports<'_>, event: SocketEvent) -> Result<SocketReply, Error> {
    let SocketEventKind::Message { body } = &event.kind else { return Ok(SocketReply::ok()) };
    match ports.chat.fanout.connections.get(&event.connection_id).await? {
        Some(connection) => {
            lives(ports, &connection, &event).await?;
            frame(ports, &connection, &event, body).await?;
        }
        // Its record was lost or its session has ended: only a new connection can mend that.
        None => close(ports, &event.connection_id, &event).await?,
    }
    Ok(SocketReply::ok())
}

/// Whatever somebody says is a sign of life; written down when half the lease is over, not for every frame.
async fn lives(ports: Ports<'_>, connection: &Connection, event: &SocketEvent) -> Result<(), Error> {
    let until = lease(ports.timers, event.now);
    let half = (ports.timers.interval() + ports.timers.timeout()) / 2;
    if connection.identity.is_some() && connection.lease_until < until - half {
        ports.heartbeats.alive(&connection.id, until).await?;
    }
    Ok(())
}

async fn frame(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    body: &str,
) -> Result<(), Error> {
    match connection.dialect.parse(body) {
        Ok(inbound) => dispatch(ports, connection, event, inbound).await,
        Err(_) if connection.dialect.closes_on_wrong_frame() => close(ports, &connection.id, event).await,
        Err(wrong) => {
            let error = Error::field("frame", wrong.to_string());
            answer(ports, connection, None, Err(error)).await
        }
    }
}

async fn dispatch(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    inbound: Inbound,
) -> Result<(), Error> {
    match inbound {
        Inbound::Connect { namespace, auth } => {
            connect::connect(ports, connection, event, &namespace, auth).await
        }
        Inbound::Event { namespace, name, payload, ack } => {
            let Some(identity) = speaker(ports, connection, event, &namespace).await? else {
                return close(ports, &connection.id, event).await;
            };
            let speech = events::Speech { connection: &connection.id, identity: &identity, event };
            let result = events::run(ports, speech, &name, payload).await;
            answer(ports, connection, ack.as_ref(), result).await
        }
        Inbound::Refused { namespace, ack, why } => {
            if speaker(ports, connection, event, &namespace).await?.is_none() {
                return close(ports, &connection.id, event).await;
            }
            answer(ports, connection, ack.as_ref(), Err(Error::field("payload", why))).await
        }
        Inbound::Disconnect { namespace } => connect::leave(ports, connection, event, &namespace).await,
        Inbound::Close => close(ports, &connection.id, event).await,
        // Who has not said who it is has its connect timeout and no more, however often it says that it lives.
        Inbound::Pong if connection.identity.is_none() => Ok(()),
        Inbound::Pong => Ok(ports.heartbeats.alive(&connection.id, lease(ports.timers, event.now)).await?),
        Inbound::Ignore => Ok(()),
    }
}

/// Who speaks. A JSON connection may speak before its greeting was sent: that a frame came proves that the
/// gateway knows it, so it is attached here. Nobody, and the connection is closed: an event before CONNECT.
async fn speaker(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    namespace: &str,
) -> Result<Option<Identity>, Error> {
    if namespace != MAIN_NAMESPACE {
        return Ok(None);
    }
    match (connection.dialect, &connection.identity, &connection.claimed) {
        (_, Some(identity), _) => Ok(Some(identity.clone())),
        (Dialect::Json, None, Some(Claim::Person(claimed))) => {
            let (sessions, fanout) = (ports.gate.sessions, ports.chat.fanout);
            let id = &connection.id;
            let admitted = attach(sessions, fanout, id, claimed, ports.timers, event.now).await?;
            Ok((admitted == Admitted::There).then(|| claimed.clone()))
        }
        (Dialect::Json | Dialect::SocketIo, None, _) => Ok(None),
    }
}

/// The ack's id, if the client wants one.
type Ack<'a> = Option<&'a AckId>;

/// A connection's id.
type Id = ConnectionId;
