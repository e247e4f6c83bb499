//! Socket.IO 5 packets as text: `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.

use serde_json::{Map, Value};

use super::{MAX_ATTACHMENTS, MAX_NAMESPACE_BYTES, ParseError, bounded};

mod encode;

pub use encode::{ack, connect, connect_error, disconnect, event};

/// The namespace of a packet that names none, and the only one Ulak serves.
pub const MAIN_NAMESPACE: &str = "/";

/// Event names that mean something to the library itself; a client may not emit them.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// One packet from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Where it belongs; [`MAIN_NAMESPACE`] unless the client said otherwise.
    pub namespace: String,
    /// On an event: the answer is wanted under this id. On an ack: the event that is answered.
    pub id: Option<u64>,
    /// What it says.
    pub kind: Kind,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `0`: the client enters the namespace, with its `auth` object if it has one.
    Connect(Option<Map<String, Value>>),
    /// `1`: the client leaves the namespace. It gets no answer and the connection stays open.
    Disconnect,
    /// `2`: an event.
    Event {
        /// Never one of [`RESERVED_EVENTS`]. A number, which the protocol allows, is given as text.
        name: String,
        /// What follows the name.
        args: Vec<Value>,
    },
    /// `2`: an event whose arguments are nested over [`MAX_DEPTH`](super::MAX_DEPTH) and were not read. Its
    /// sender is told, as of any wrong payload; it is no reason to lose the connection.
    DeepEvent,
    /// `3`: the answer to an event of the server's.
    Ack(Vec<Value>),
    /// `4`: a refusal. Only a server has reason to send one; its data is dropped.
    ConnectError,
    /// `5`: an event whose attachments follow in frames of their own; its payload is dropped.
    BinaryEvent {
        /// How many frames follow.
        attachments: u8,
    },
    /// `6`: an ack whose attachments follow in frames of their own; its payload is dropped.
    BinaryAck {
        /// How many frames follow.
        attachments: u8,
    },
}

/// Reads the data of one Engine.IO message.
///
/// The comma after a namespace may be missing when nothing follows (`0/chat`).
///
/// # Errors
///
/// Every [`ParseError`] but `HeartbeatDirection` and `ServerOnly`.
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

/// `["name", …]` as an event.
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

/// `2-rest` as (2, `rest`).
fn split_attachments(text: &str) -> Result<(u8, &str), ParseError> {
    let (count, rest) = text.split_once('-').ok_or(ParseError::IllegalAttachments)?;
    match count.parse() {
        // Rust's integers may begin with a plus sign; the protocol's do not.
        Ok(attachments) if attachments <= MAX_ATTACHMENTS && digits(count) == count => {
            Ok((attachments, rest))
        }
        _ => Err(ParseError::IllegalAttachments),
    }
}

/// `/chat,rest` as (`/chat`, `rest`).
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

/// `12rest` as (12, `rest`).
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
