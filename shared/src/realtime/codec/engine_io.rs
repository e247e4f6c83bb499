//! Engine.IO 4 packets as text: one character of type, then the data.

use std::time::Duration;

use serde::Serialize;

use super::{ParseError, bounded};

/// The ping: the only packet that resets the client's heartbeat timer, so the server owes one per
/// interval whatever else it sends.
pub const PING: &str = "2";

/// Does nothing: unanswered, and no heartbeat. It only resets the gateway's idle timer.
pub const NOOP: &str = "6";

/// What a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `1`: the client ends the connection.
    Close,
    /// `3`: the answer to [`PING`]; its data says nothing.
    Pong,
    /// `4…`: data for the layer above.
    Message(&'a str),
    /// `5`: belongs to long polling; to be ignored.
    Upgrade,
    /// `6`: to be ignored.
    Noop,
    /// `b…`: binary data as base64, undecoded: no Ulak event carries binary, so it is to be refused.
    Binary(&'a str),
}

/// Reads one frame from a client.
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

/// How often the server pings and how long it waits for the pong, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingTimers {
    interval_ms: u32,
    timeout_ms: u32,
}

/// Ping timers that would make every client reconnect in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ping interval and ping timeout must each be at least 1 ms and together under 2^31 ms")]
pub struct PingTimersError;

impl PingTimers {
    /// Checks the two, at millisecond resolution.
    ///
    /// # Errors
    ///
    /// If one is zero, or both together reach 2^31 ms: the client adds them up for a timer that
    /// holds 31 bits, and one that overflows fires at once.
    pub fn new(interval: Duration, timeout: Duration) -> Result<Self, PingTimersError> {
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).map_err(|_| PingTimersError);
        let (interval_ms, timeout_ms) = (milliseconds(interval)?, milliseconds(timeout)?);
        let together = u64::from(interval_ms) + u64::from(timeout_ms);
        if interval_ms == 0 || timeout_ms == 0 || together >= 1 << 31 {
            return Err(PingTimersError);
        }
        Ok(Self { interval_ms, timeout_ms })
    }

    /// The time between two pings.
    pub fn interval(self) -> Duration {
        Duration::from_millis(self.interval_ms.into())
    }

    /// How long before it is due a ping goes out, when pings go out once in a `period`.
    pub fn lead(self, period: Duration) -> Duration {
        period.min(self.interval() / 2)
    }

    /// The longest that a client waits for a ping, when pings go out once in a `period`. One that waits longer
    /// than interval and timeout together takes the server for dead.
    pub fn longest_wait(self, period: Duration) -> Duration {
        self.interval() - self.lead(period) + period
    }

    /// How long a pong may take.
    pub fn timeout(self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}

/// 300 s and 120 s: together under the gateway's idle cut of ten minutes, and few enough pings to pay for.
impl Default for PingTimers {
    fn default() -> Self {
        Self { interval_ms: 300_000, timeout_ms: 120_000 }
    }
}

/// The handshake, the first frame of a connection. All five keys are always there: without one of
/// them the JavaScript client throws, or times out at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPacket<'a> {
    sid: &'a str,
    /// There is nothing to upgrade to: the gateway speaks WebSocket only.
    upgrades: [&'static str; 0],
    ping_interval: u32,
    ping_timeout: u32,
    max_payload: usize,
}

impl<'a> OpenPacket<'a> {
    /// The handshake of the session `sid` (the gateway's connection id). Sent twice with the same
    /// values it does no harm. `max_payload` is in bytes; a WebSocket client only notes it.
    pub fn new(sid: &'a str, timers: PingTimers, max_payload: usize) -> Self {
        let PingTimers { interval_ms, timeout_ms } = timers;
        Self { sid, upgrades: [], ping_interval: interval_ms, ping_timeout: timeout_ms, max_payload }
    }

    /// The packet as a frame.
    pub fn encode(&self) -> String {
        format!("0{}", bounded::to_string(self))
    }
}
