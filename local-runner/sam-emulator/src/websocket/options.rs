//! What can be set about the WebSocket API: AWS's limits by default, each a value that tests and faults change.

use std::time::Duration;

/// API Gateway's limit on one frame, in bytes of payload.
pub const MAX_FRAME: usize = 32 * 1024;
/// API Gateway's limit on one message, both ways, in bytes.
pub const MAX_MESSAGE: usize = 128 * 1024;

/// Limits and switches of the WebSocket API.
#[derive(Debug, Clone)]
pub struct Options {
    /// Paths beside `/{stage}`, as the API mappings of a custom domain would add them.
    pub mapping_keys: Vec<String>,
    /// How many frames of one connection are with functions at once. One keeps them in order; AWS promises
    /// no order, which a larger number emulates.
    pub frames_at_once: usize,
    /// How many further frames of one connection may wait; then the socket is not read.
    pub pending_frames: usize,
    /// Without data in either direction for so long, a connection is cut. Pings are no data.
    pub idle: Duration,
    /// No connection lives longer.
    pub life: Duration,
    /// New connections per second, with as many at once; `None` switches the limit off.
    pub connects_per_second: Option<u32>,
    /// Bytes that may wait for one slow client; then posts answer `LimitExceededException`.
    pub send_buffer: usize,
    /// How long a client may take to accept what is left for it and to answer a close frame.
    pub close_patience: Duration,
    /// A fault switch: `@connections` answers 410 until so long after the 101.
    pub visibility_delay: Duration,
}

impl Default for Options {
    /// The limits of contract §4.4, frames in order, and the mapping of an unmodified `socket.io-client`.
    fn default() -> Self {
        Self {
            mapping_keys: vec!["socket.io".to_owned()],
            frames_at_once: 1,
            pending_frames: 16,
            idle: Duration::from_secs(10 * 60),
            life: Duration::from_secs(2 * 60 * 60),
            connects_per_second: Some(500),
            send_buffer: 1024 * 1024,
            close_patience: Duration::from_secs(2),
            visibility_delay: Duration::ZERO,
        }
    }
}
