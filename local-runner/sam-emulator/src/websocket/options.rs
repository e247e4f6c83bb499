//! Limits and switches of the WebSocket API. The defaults are AWS's limits; tests change them.

use std::time::Duration;

/// Bytes of payload of one frame: API Gateway's limit.
pub const MAX_FRAME: usize = 32 * 1024;
/// Bytes of one message in either direction: API Gateway's limit.
pub const MAX_MESSAGE: usize = 128 * 1024;

/// Limits and switches of the WebSocket API.
#[derive(Debug, Clone)]
pub struct WebSocketOptions {
    /// Paths of the API beside `/{stage}`, like the API mapping keys of a custom domain.
    pub mapping_keys: Vec<String>,
    /// Messages of one connection that functions process at the same time. With 1 they are processed in
    /// order; AWS does not promise an order, and a larger number emulates that.
    pub concurrent_messages: usize,
    /// Further messages of one connection that wait for a function. When they are reached, the socket is not
    /// read.
    pub max_waiting_messages: usize,
    /// A connection without data in either direction for this time is closed. Pings and pongs are not data.
    pub idle_timeout: Duration,
    /// A connection is closed when it reaches this age.
    pub max_lifetime: Duration,
    /// New connections per second, and the same number at once; `None` is no limit.
    pub connects_per_second: Option<u32>,
    /// Bytes that wait to be sent to one client. When they are reached, posts fail with
    /// `LimitExceededException`.
    pub max_queued_bytes: usize,
    /// Bytes that wait to be sent to all clients together. The more of them are used, the fewer may wait for one
    /// client; a client that reads always gets its next frame.
    pub max_total_queued_bytes: usize,
    /// Time for a client to take the queued frames and to answer a close frame.
    pub close_timeout: Duration,
    /// For tests: `@connections` answers 410 until this time after the 101 response.
    pub visibility_delay: Duration,
}

impl Default for WebSocketOptions {
    /// AWS's limits (API Gateway guide, `apigateway-execution-service-websocket-limits-table`), messages in
    /// order, and the path of an unmodified `socket.io-client`.
    fn default() -> Self {
        Self {
            mapping_keys: vec!["socket.io".to_owned()],
            concurrent_messages: 1,
            max_waiting_messages: 16,
            idle_timeout: Duration::from_secs(10 * 60),
            max_lifetime: Duration::from_secs(2 * 60 * 60),
            connects_per_second: Some(500),
            max_queued_bytes: 1024 * 1024,
            max_total_queued_bytes: 32 * 1024 * 1024,
            close_timeout: Duration::from_secs(2),
            visibility_delay: Duration::ZERO,
        }
    }
}
