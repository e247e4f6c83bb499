//! Engine.IO 4 packets as text: one character for the type, then the data.

use serde::Serialize;

use super::{ParseError, bounded};
use crate::realtime::ping::PingTimers;

/// The ping. No other packet resets the client's heartbeat timer, so the server must send one per interval, whatever
/// else it sends.
pub const PING: &str = "2";

/// A packet from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `1`: the client closes the connection.
    Close,
    /// `3`: the answer to [`PING`]; its data is ignored.
    Pong,
    /// `4…`: a Socket.IO packet.
    Message(&'a str),
    /// `5`: part of long polling; to be ignored.
    Upgrade,
    /// `6`: to be ignored.
    Noop,
    /// `b…`: an attachment as base64, not decoded; to be ignored, because the packet before it was refused.
    Binary(&'a str),
}

/// Parses one frame from a client.
///
/// # Errors
///
/// `TooLong`, `UnknownType`, `ServerOnly` for an open packet, `HeartbeatDirection` for a ping.
pub fn parse(frame: &str) -> Result<Packet<'_>, ParseError> {
    bounded::check_size(frame)?;
    let mut characters = frame.chars();
    let kind = characters.next();
    let data = characters.as_str();
    match kind {
        Some('0') => Err(ParseError::ServerOnly),
        Some('1') => Ok(Packet::Close),
        Some('2') => Err(ParseError::HeartbeatDirection),
        Some('3') => Ok(Packet::Pong),
        Some('4') => Ok(Packet::Message(data)),
        Some('5') => Ok(Packet::Upgrade),
        Some('6') => Ok(Packet::Noop),
        Some('b') => Ok(Packet::Binary(data)),
        _ => Err(ParseError::UnknownType),
    }
}

/// A message packet around `data`.
pub fn message(data: &str) -> String {
    format!("4{data}")
}

/// The handshake, the first frame of a connection. It always has all five keys: without one of them the JavaScript
/// client throws or times out at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPacket<'a> {
    sid: &'a str,
    /// Empty: the gateway supports no transport but WebSocket.
    upgrades: [&'static str; 0],
    ping_interval: u32,
    ping_timeout: u32,
    max_payload: usize,
}

impl<'a> OpenPacket<'a> {
    /// The handshake of the session `sid`, the gateway's connection id. Sending it twice with the same values is
    /// harmless. `max_payload` is in bytes; a WebSocket client does not enforce it.
    pub fn new(sid: &'a str, timers: PingTimers, max_payload: usize) -> Self {
        let (ping_interval, ping_timeout) = timers.millis();
        Self { sid, upgrades: [], ping_interval, ping_timeout, max_payload }
    }

    /// The packet as a frame.
    pub fn encode(&self) -> String {
        format!("0{}", bounded::to_string(self))
    }
}
