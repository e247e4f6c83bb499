//! The realtime wire: text frames to typed packets and back, without I/O, clock or state.
//!
//! # Layout
//!
//! * [`engine_io`]: Engine.IO 4, the envelope (`4…`) and the heartbeat (`2`, `3`)
//! * [`socket_io`]: Socket.IO 5, what travels inside an Engine.IO message
//! * [`json`]: the plain JSON dialect, `{"action","id","data"}`
//! * [`dialect`]: what both have in common, and nearly all that a function needs
//! * [`upgrade`]: which dialect a connection will speak
//!
//! # Why not a crate
//!
//! The published Rust codecs bring their own session id type (ours is the gateway's connection id)
//! and a parser that waits for binary attachments. Our frames are handled by concurrent Lambdas, so
//! nothing may be remembered between two frames, and binary cannot pass the gateway at all. What is
//! left is small enough to own.
//!
//! # Bounds
//!
//! Every parser refuses frames over [`MAX_FRAME_BYTES`], JSON nested over [`MAX_DEPTH`], namespaces
//! over [`MAX_NAMESPACE_BYTES`] and ack ids over 64 bits, before it allocates for them.

mod bounded;
pub mod dialect;
pub mod engine_io;
pub mod json;
pub mod socket_io;
#[cfg(test)]
mod tests;
pub mod upgrade;

pub use dialect::{AckId, EventFrames, Inbound};

/// The longest frame that is read: the largest WebSocket message API Gateway passes on.
pub const MAX_FRAME_BYTES: usize = 128 * 1024;

/// How many arrays and objects may be open at once in a frame's JSON, its outermost included.
pub const MAX_DEPTH: usize = 32;

/// The longest Socket.IO namespace that is read. It is echoed in the answer, so it stays short.
pub const MAX_NAMESPACE_BYTES: usize = 256;

/// The most attachments a Socket.IO packet may announce, as in the reference decoder.
pub const MAX_ATTACHMENTS: u8 = 10;

/// Why a frame is wrong.
///
/// What the server does: a Socket.IO connection is **closed**, as the reference server does on any
/// bad packet; a plain JSON connection is told with the event `error` and **stays open**
/// ([`dialect::Dialect::closes_on_parse_error`]). The texts name no client data and may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Over [`MAX_FRAME_BYTES`]; the gateway itself closes such a connection with 1009.
    #[error("frame too long")]
    TooLong,
    /// An empty frame, or a first character that is no packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// A ping from a client: in Engine.IO 4 only the server pings.
    #[error("invalid heartbeat direction")]
    HeartbeatDirection,
    /// Engine.IO open or Socket.IO CONNECT_ERROR: only a server sends these.
    #[error("packet only a server may send")]
    ServerOnly,
    /// A namespace over [`MAX_NAMESPACE_BYTES`].
    #[error("namespace too long")]
    NamespaceTooLong,
    /// An ack id over 64 bits.
    #[error("ack id out of range")]
    AckIdOutOfRange,
    /// A binary packet whose attachment count is missing, not a number or over [`MAX_ATTACHMENTS`].
    #[error("illegal attachments")]
    IllegalAttachments,
    /// JSON nested over [`MAX_DEPTH`].
    #[error("JSON nested too deeply")]
    TooDeep,
    /// The payload is not JSON.
    #[error("invalid JSON")]
    InvalidJson,
    /// JSON, but not of the shape this packet type carries.
    #[error("invalid payload")]
    InvalidPayload,
    /// An event name that Socket.IO keeps for itself.
    #[error("reserved event name")]
    ReservedEvent,
}
