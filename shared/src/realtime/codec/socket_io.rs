//! Socket.IO 5 packets as text: `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.

use serde_json::{Map, Value};

use super::{MAX_ATTACHMENTS, MAX_NAMESPACE_BYTES, ParseError, bounded};

mod encode;

pub use encode::{ack, connect, connect_error, disconnect, event};

/// The namespace of a packet that names none, and the only one that Ulak serves.
pub const MAIN_NAMESPACE: &str = "/";

/// Event names that the Socket.IO library uses itself; clients may not send them.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// One packet from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// [`MAIN_NAMESPACE`] if the packet names none.
    pub namespace: String,
    /// Of an event: the id under which the client expects an ack. Of an ack: the id of the event.
    pub id: Option<u64>,
    pub kind: Kind,
}

/// The type of a packet, with its data.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `0`: the client enters the namespace, with its `auth` object if it has one.
    Connect(Option<Map<String, Value>>),
    /// `1`: the client leaves the namespace. It gets no answer, and the connection stays open.
    Disconnect,
    /// `2`: an event.
    Event {
        /// Never one of [`RESERVED_EVENTS`]. The protocol also allows a number; it is converted to text.
        name: String,
        /// The arguments after the name.
        args: Vec<Value>,
    },
    /// `2`: an event whose arguments are nested over [`MAX_DEPTH`](super::MAX_DEPTH) and were not parsed. It is
    /// answered like any other invalid payload; the connection stays open.
    DeepEvent,
    /// `3`: the answer to an event from the server.
    Ack(Vec<Value>),
    /// `4`: the refusal of a CONNECT, which only a server may send; its data is dropped.
    ConnectError,
    /// `5`: an event followed by `attachments` binary frames; its payload is dropped.
    BinaryEvent { attachments: u8 },
    /// `6`: an ack followed by `attachments` binary frames; its payload is dropped.
    BinaryAck { attachments: u8 },
}

/// Parses the data of one Engine.IO message.
///
/// The comma after a namespace may be missing if nothing follows it (`0/chat`).
///
/// # Errors
///
/// Every [`ParseError`] except `HeartbeatDirection` and `ServerOnly`.
pub fn parse(data: &str) -> Result<Packet, ParseError> {
    bounded::check_size(data)?;
    let mut characters = data.chars();
    let digit = characters.next().ok_or(ParseError::UnknownType)?;
    let rest = characters.as_str();
    let (attachments, rest) = if matches!(digit, '5' | '6') { split_attachments(rest)? } else { (0, rest) };
    let (namespace, rest) = split_namespace(rest)?;
    let (id, payload) = split_id(rest)?;
    let kind = match digit {
        '0' => Kind::Connect(if payload.is_empty() { None } else { Some(bounded::from_str(payload)?) }),
        '1' if payload.is_empty() => Kind::Disconnect,
        '1' => return Err(ParseError::InvalidPayload),
        '2' => match parse_event(payload) {
            Err(ParseError::TooDeep) => Kind::DeepEvent,
            event => event?,
        },
        '3' => Kind::Ack(bounded::from_str(payload)?),
        '4' => Kind::ConnectError,
        '5' => parse_event(payload).map(|_| Kind::BinaryEvent { attachments })?,
        '6' => bounded::from_str::<Vec<Value>>(payload).map(|_| Kind::BinaryAck { attachments })?,
        _ => return Err(ParseError::UnknownType),
    };
    Ok(Packet { namespace: namespace.to_owned(), id, kind })
}

/// Parses `["name", …]`.
fn parse_event(payload: &str) -> Result<Kind, ParseError> {
    let mut args = bounded::from_str::<Vec<Value>>(payload)?.into_iter();
    let name = match args.next() {
        Some(Value::String(name)) => name,
        Some(Value::Number(name)) => name.to_string(),
        _ => return Err(ParseError::InvalidPayload),
    };
    if RESERVED_EVENTS.contains(&name.as_str()) {
        return Err(ParseError::ReservedEvent);
    }
    Ok(Kind::Event { name, args: args.collect() })
}

/// Splits `2-rest` into 2 and `rest`.
fn split_attachments(text: &str) -> Result<(u8, &str), ParseError> {
    let (count, rest) = text.split_once('-').ok_or(ParseError::IllegalAttachments)?;
    match count.parse() {
        // Rust also parses a leading plus sign, which the protocol does not allow.
        Ok(attachments) if attachments <= MAX_ATTACHMENTS && digits(count) == count => {
            Ok((attachments, rest))
        }
        _ => Err(ParseError::IllegalAttachments),
    }
}

/// Splits `/chat,rest` into `/chat` and `rest`.
fn split_namespace(text: &str) -> Result<(&str, &str), ParseError> {
    if !text.starts_with('/') {
        return Ok((MAIN_NAMESPACE, text));
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    if namespace.len() > MAX_NAMESPACE_BYTES {
        Err(ParseError::NamespaceTooLong)
    } else {
        Ok((namespace, rest))
    }
}

/// Splits `12rest` into 12 and `rest`.
fn split_id(text: &str) -> Result<(Option<u64>, &str), ParseError> {
    let digits = digits(text);
    if digits.is_empty() {
        return Ok((None, text));
    }
    let id = digits.parse().map_err(|_| ParseError::AckIdOutOfRange)?;
    Ok((Some(id), &text[digits.len()..]))
}

/// The decimal digits that `text` begins with.
fn digits(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}
