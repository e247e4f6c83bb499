//! One interface to both dialects: one type of inbound frame, and one way to answer and to push.

use serde::Serialize;
use serde_json::{Map, Value};

use super::socket_io::{self, Kind, MAIN_NAMESPACE};
use super::{ParseError, bounded, engine_io, json};
use crate::connection::Dialect;

/// A frame from a client, in either dialect.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// A request to enter `namespace`, to be answered with [`socket_io::connect`] or [`socket_io::connect_error`]. A
    /// second one for the same namespace closes the connection. The JSON dialect has no CONNECT: its upgrade
    /// request takes that part.
    Connect {
        /// Any other than `/` is answered with "Invalid namespace".
        namespace: String,
        /// The client's `auth` object; empty if it sent none.
        auth: Map<String, Value>,
    },
    /// An event. Before CONNECT, or for a namespace that was not entered, it closes the connection.
    Event {
        /// Always `/` in the JSON dialect.
        namespace: String,
        name: String,
        /// The first argument, null if there is none. May be a string or any other JSON value.
        payload: Value,
        /// Without it, only a failure is answered.
        ack: Option<AckId>,
    },
    /// An event whose payload is not supported, to be answered with an error.
    Refused {
        namespace: String,
        ack: Option<AckId>,
        /// What is wrong with the payload, for people.
        why: &'static str,
    },
    /// A request to leave `namespace`. It has no answer, and the connection stays open.
    Disconnect { namespace: String },
    /// The answer to a ping.
    Pong,
    /// A request to close the connection.
    Close,
    /// A frame without a meaning here: a noop, an attachment of a refused event, or an ack, which no event of ours
    /// asks for.
    Ignore,
}

/// The id under which a client expects the answer to an event. It includes the dialect, so an answer is always
/// encoded in the client's dialect.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AckId {
    /// A Socket.IO ack id, in namespace `/`.
    SocketIo(u64),
    /// The `id` of a JSON frame.
    Json(json::Id),
}

impl AckId {
    /// The frame of the ack, with `payload` as its one argument.
    ///
    /// # Panics
    ///
    /// If `payload` cannot be serialised, as for [`Dialect::event`].
    pub fn answer(&self, payload: &impl Serialize) -> String {
        let payload = bounded::to_string(payload);
        match self {
            Self::SocketIo(id) => socket_io::ack(MAIN_NAMESPACE, *id, &payload),
            Self::Json(id) => json::ack(id, &payload),
        }
    }
}

impl Dialect {
    /// Parses one text frame from a client.
    ///
    /// # Errors
    ///
    /// A [`ParseError`]; [`Self::closes_on_parse_error`] says what the server does then.
    pub fn parse(self, frame: &str) -> Result<Inbound, ParseError> {
        match self {
            Self::SocketIo => from_engine_io(engine_io::parse(frame)?),
            Self::Json => json::parse(frame).map(from_json),
        }
    }

    /// Whether a frame that cannot be parsed closes the connection. Socket.IO's reference server closes it, and the
    /// client library reconnects. A JSON client may have no library that reconnects, so it receives the event
    /// `error` instead.
    pub fn closes_on_parse_error(self) -> bool {
        self == Self::SocketIo
    }

    /// The frame of the event `name` with `payload`. For several receivers use [`EventFrames`].
    ///
    /// # Panics
    ///
    /// If `payload` cannot be serialised: a map whose keys are not strings, or a `Serialize` that fails.
    pub fn event(self, name: &str, payload: &impl Serialize) -> String {
        self.event_of_json(name, &bounded::to_string(payload))
    }

    /// The frame of a ping, which the server sends once per ping interval. Clients answer with [`Inbound::Pong`]; in
    /// the JSON dialect they need not.
    pub fn ping(self) -> &'static str {
        match self {
            Self::SocketIo => engine_io::PING,
            Self::Json => r#"{"event":"ping","data":{}}"#,
        }
    }

    /// The frame that tells a client not to reconnect, sent before the server closes the connection. `None` if the
    /// dialect has no such frame.
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

/// One event for many receivers: one frame per dialect; the payload is serialised once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFrames {
    socket_io: String,
    json: String,
}

impl EventFrames {
    /// The frames of the event `name` with `payload`.
    ///
    /// # Panics
    ///
    /// If `payload` cannot be serialised, as for [`Dialect::event`].
    pub fn new(name: &str, payload: &impl Serialize) -> Self {
        let payload = bounded::to_string(payload);
        let frame = |dialect: Dialect| dialect.event_of_json(name, &payload);
        Self { socket_io: frame(Dialect::SocketIo), json: frame(Dialect::Json) }
    }

    /// The frame for connections of this dialect.
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
        // Attachments follow a packet that was refused already, perhaps by another Lambda.
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
        Kind::DeepEvent => {
            Inbound::Refused { namespace, ack, why: "must not be nested deeper than 32 levels" }
        }
        Kind::Ack(_) | Kind::BinaryAck { .. } => Inbound::Ignore,
        Kind::ConnectError => return Err(ParseError::ServerOnly),
    })
}

fn from_json(parsed: json::Parsed) -> Inbound {
    let namespace = MAIN_NAMESPACE.to_owned();
    match parsed {
        Ok(json::Frame { action, .. }) if action == "pong" => Inbound::Pong,
        Ok(json::Frame { action, id, data }) => {
            Inbound::Event { namespace, name: action, payload: data, ack: id.map(AckId::Json) }
        }
        Err((id, why)) => Inbound::Refused { namespace, ack: Some(AckId::Json(id)), why },
    }
}
