//! What both dialects have in common: one inbound frame type, and one way to answer and to push.

use serde::Serialize;
use serde_json::{Map, Value};

use super::socket_io::{self, Kind, MAIN_NAMESPACE};
use super::{ParseError, bounded, engine_io, json};
use crate::connection::Dialect;

/// What a frame asks of the server, whatever the dialect.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// Enter `namespace`. Answer with [`socket_io::connect`] or [`socket_io::connect_error`]; a second
    /// one for the same namespace closes the connection. The JSON dialect never sends it: there the
    /// upgrade was the connect.
    Connect {
        /// Any but `/` is answered "Invalid namespace".
        namespace: String,
        /// The client's `auth` object, empty if it sent none.
        auth: Map<String, Value>,
    },
    /// An event. Before CONNECT, or for a namespace that was not entered, it closes the connection.
    Event {
        /// Where it belongs; always `/` in the JSON dialect.
        namespace: String,
        /// The event's name, as sent.
        name: String,
        /// The first argument, null if there is none; it may be a bare string.
        payload: Value,
        /// Where the answer goes; without it only a failure is told.
        ack: Option<AckId>,
    },
    /// An event that nothing here takes: answer with a [`Dialect::failure`].
    Refused {
        /// As in `Event`.
        namespace: String,
        /// As in `Event`.
        ack: Option<AckId>,
        /// What is wrong with its payload, for people.
        why: &'static str,
    },
    /// Leave `namespace`, unanswered; the connection stays open.
    Disconnect {
        /// The namespace to leave.
        namespace: String,
    },
    /// The client lives.
    Pong,
    /// The client wants the connection closed.
    Close,
    /// Nothing to do: noops, attachments of a refused event, and acks, since no event of ours asks for one.
    Ignore,
}

/// Where the answer to an event goes. It knows its dialect, so an answer cannot be in the wrong one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AckId {
    /// A Socket.IO ack id, in namespace `/`.
    SocketIo(u64),
    /// The `id` of a JSON frame.
    Json(json::Id),
}

impl AckId {
    /// The ack with `payload` as its one argument.
    ///
    /// # Panics
    ///
    /// If `payload` refuses to be JSON, as for [`Dialect::event`].
    pub fn answer(&self, payload: &impl Serialize) -> String {
        let payload = bounded::to_string(payload);
        match self {
            Self::SocketIo(id) => socket_io::ack(MAIN_NAMESPACE, *id, &payload),
            Self::Json(id) => json::ack(id, &payload),
        }
    }
}

impl Dialect {
    /// Reads one text frame from a client.
    ///
    /// # Errors
    ///
    /// See [`ParseError`] for what each means, and [`Self::closes_on_parse_error`] for what follows.
    pub fn parse(self, frame: &str) -> Result<Inbound, ParseError> {
        match self {
            Self::SocketIo => from_engine_io(engine_io::parse(frame)?),
            Self::Json => json::parse(frame).map(from_json),
        }
    }

    /// Whether a wrong frame ends the connection. Socket.IO's reference server closes, and its client
    /// reconnects; a JSON client has nobody to reconnect for it and is told with the event `error`.
    pub fn closes_on_parse_error(self) -> bool {
        self == Self::SocketIo
    }

    /// The event `name` with `payload`. For more than one receiver see [`EventFrames`].
    ///
    /// # Panics
    ///
    /// If `payload` refuses to be JSON: a map whose keys are not strings, or a `Serialize` that fails.
    pub fn event(self, name: &str, payload: &impl Serialize) -> String {
        self.event_of_json(name, &bounded::to_string(payload))
    }

    /// What the server sends once per ping interval; the client answers with [`Inbound::Pong`].
    pub fn ping(self) -> &'static str {
        match self {
            Self::SocketIo => engine_io::PING,
            Self::Json => r#"{"event":"ping","data":{}}"#,
        }
    }

    /// The last frame before the server closes a connection for good, if the dialect has one.
    pub fn disconnect_frame(self) -> Option<String> {
        (self == Self::SocketIo).then(|| socket_io::disconnect(MAIN_NAMESPACE))
    }

    fn event_of_json(self, name: &str, payload: &str) -> String {
        match self {
            Self::SocketIo => socket_io::event(MAIN_NAMESPACE, None, name, payload),
            Self::Json => json::event(name, payload),
        }
    }
}

/// One event for many receivers: the payload is serialised once, the frames are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFrames {
    socket_io: String,
    json: String,
}

impl EventFrames {
    /// The event `name` with `payload`.
    ///
    /// # Panics
    ///
    /// If `payload` refuses to be JSON, as for [`Dialect::event`].
    pub fn new(name: &str, payload: &impl Serialize) -> Self {
        let payload = bounded::to_string(payload);
        let frame = |dialect: Dialect| dialect.event_of_json(name, &payload);
        Self { socket_io: frame(Dialect::SocketIo), json: frame(Dialect::Json) }
    }

    /// The frame for a connection that speaks `dialect`.
    pub fn get(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::SocketIo => &self.socket_io,
            Dialect::Json => &self.json,
        }
    }
}

fn from_engine_io(packet: engine_io::Packet<'_>) -> Result<Inbound, ParseError> {
    match packet {
        engine_io::Packet::Message(data) => from_socket_io(socket_io::parse(data)?),
        engine_io::Packet::Pong => Ok(Inbound::Pong),
        engine_io::Packet::Close => Ok(Inbound::Close),
        // Base64 attachments follow a packet that was refused already, perhaps in another Lambda.
        engine_io::Packet::Binary(_) | engine_io::Packet::Upgrade | engine_io::Packet::Noop => {
            Ok(Inbound::Ignore)
        }
    }
}

fn from_socket_io(packet: socket_io::Packet) -> Result<Inbound, ParseError> {
    let socket_io::Packet { namespace, id, kind } = packet;
    let ack = id.map(AckId::SocketIo);
    Ok(match kind {
        Kind::Connect(auth) => Inbound::Connect { namespace, auth: auth.unwrap_or_default() },
        Kind::Disconnect => Inbound::Disconnect { namespace },
        Kind::Event { name, args } => {
            Inbound::Event { namespace, name, payload: args.into_iter().next().unwrap_or_default(), ack }
        }
        Kind::BinaryEvent { .. } => {
            Inbound::Refused { namespace, ack, why: "binary attachments are not supported" }
        }
        Kind::DeepEvent => Inbound::Refused { namespace, ack, why: "is nested too deeply" },
        Kind::Ack(_) | Kind::BinaryAck { .. } => Inbound::Ignore,
        Kind::ConnectError => return Err(ParseError::ServerOnly),
    })
}

fn from_json(read: json::Read) -> Inbound {
    let namespace = MAIN_NAMESPACE.to_owned();
    match read {
        Ok(json::Frame { action, .. }) if action == "pong" => Inbound::Pong,
        Ok(json::Frame { action, id, data }) => {
            Inbound::Event { namespace, name: action, payload: data, ack: id.map(AckId::Json) }
        }
        Err((id, why)) => Inbound::Refused { namespace, ack: Some(AckId::Json(id)), why },
    }
}
