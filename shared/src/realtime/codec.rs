//! The wire format of sockets: text frames to typed packets and back, without I/O, clock or state.
//!
//! # Layout
//!
//! * [`engine_io`]: Engine.IO 4, the envelope (`4…`) and the heartbeat (`2`, `3`)
//! * [`socket_io`]: Socket.IO 5, the content of an Engine.IO message
//! * [`json`]: the plain JSON dialect, `{"action","id","data"}`
//! * [`dialect`]: one interface to both dialects; most functions need only this
//! * [`upgrade`]: the dialect that an upgrade request asks for
//!
//! # Why not a crate
//!
//! The published Rust codecs define their own session id (ours is the gateway's connection id) and a parser
//! that keeps state until binary attachments have arrived. Our frames are handled by concurrent Lambdas, so no
//! state can be kept between two frames, and the gateway does not pass binary frames. The rest of the protocol
//! is small.
//!
//! # Bounds
//!
//! Every parser rejects frames over [`MAX_FRAME_BYTES`], JSON nested over [`MAX_DEPTH`], namespaces over
//! [`MAX_NAMESPACE_BYTES`] and ack ids over 64 bits before it allocates memory for them.

mod bounded;
pub mod dialect;
pub mod engine_io;
pub mod json;
pub mod socket_io;
#[cfg(test)]
mod tests;
pub mod upgrade;

pub use dialect::{AckId, EventFrames, Inbound};

/// The longest frame that is parsed: API Gateway's largest WebSocket message.
pub const MAX_FRAME_BYTES: usize = 128 * 1024;

/// The deepest nesting of arrays and objects in a frame's JSON, counting the outermost.
pub const MAX_DEPTH: usize = 32;

/// The longest Socket.IO namespace that is parsed. The answer repeats it, so it must be short.
pub const MAX_NAMESPACE_BYTES: usize = 256;

/// The most attachments that a Socket.IO packet may announce, as in the reference decoder.
pub const MAX_ATTACHMENTS: u8 = 10;

/// Why a frame cannot be parsed.
///
/// The server then closes a Socket.IO connection, as the reference server does for any invalid packet. A plain JSON
/// connection receives the event `error` and stays open; see
/// [`closes_on_parse_error`](crate::connection::Dialect::closes_on_parse_error). The texts contain no client data, so
/// they can be shown and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The frame is over [`MAX_FRAME_BYTES`]; on AWS the gateway has closed the connection with 1009 before.
    #[error("frame longer than {} KiB", MAX_FRAME_BYTES / 1024)]
    TooLong,
    /// The frame is empty, or its first character is no packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// A client sent a ping; in Engine.IO 4 only the server does.
    #[error("ping from a client; only the server sends pings")]
    HeartbeatDirection,
    /// A client sent Engine.IO's open packet or Socket.IO's CONNECT_ERROR.
    #[error("packet type that only the server sends")]
    ServerOnly,
    /// The namespace is over [`MAX_NAMESPACE_BYTES`].
    #[error("namespace longer than {} bytes", MAX_NAMESPACE_BYTES)]
    NamespaceTooLong,
    /// The ack id is over 64 bits.
    #[error("ack id over 64 bits")]
    AckIdOutOfRange,
    /// The attachment count of a binary packet is missing, no number, or over [`MAX_ATTACHMENTS`].
    #[error("attachment count missing, invalid or over {}", MAX_ATTACHMENTS)]
    IllegalAttachments,
    /// The JSON is nested over [`MAX_DEPTH`].
    #[error("JSON nested deeper than {} levels", MAX_DEPTH)]
    TooDeep,
    /// The payload is not JSON.
    #[error("invalid JSON")]
    InvalidJson,
    /// The payload is JSON, but not of the shape that this packet type has.
    #[error("JSON of the wrong shape")]
    InvalidPayload,
    /// The event name is one of [`socket_io::RESERVED_EVENTS`].
    #[error("reserved event name")]
    ReservedEvent,
}
