//! Why a connection closed: the code and text for the client, for `$disconnect` and for the log.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::options::MAX_FRAME;

/// Every way in which a connection can close.
///
/// AWS documents 1003 for binary frames and 1009 for the limits on size. The codes and texts 1000 "Connection
/// Closed Normally", 1001 "Going away" and 1005 are those that API Gateway was seen to send (boto/boto3#3789,
/// aws/chalice#2060). The rest follows RFC 6455 §7.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The client sent a close frame.
    ByClient {
        /// The frame's status code; 1005 if it had none.
        code: u16,
        /// The frame's text; AWS's own text if it had no status code.
        text: Cow<'static, str>,
    },
    /// The client sent a close frame with a code that no endpoint may send, like 1006 (RFC 6455 §7.4).
    InvalidCloseFrame,
    /// `DELETE @connections/{id}`.
    Deleted,
    /// No data in either direction for the idle timeout, 10 minutes on AWS.
    IdleTimeout,
    /// The connection reached its maximum lifetime, 2 hours on AWS.
    LifetimeLimit,
    /// The emulator shuts down.
    ServerShutdown,
    /// A frame of more than 32 KB.
    FrameTooLarge,
    /// A message of more than 128 KB, in several frames.
    MessageTooLarge,
    /// A binary frame, which the gateway does not support.
    BinaryFrame,
    /// A text message or the text of a close frame is not UTF-8.
    InvalidUtf8,
    /// Any other violation of RFC 6455.
    ProtocolError,
    /// The TCP connection ended without a close frame.
    ConnectionLost,
    /// Writing to the socket failed.
    WriteFailed,
    /// `$connect` succeeded, but the client did not take the 101 response.
    UpgradeIncomplete,
}

impl CloseReason {
    /// The reason behind the client's close frame.
    #[must_use]
    pub fn from_close_frame(frame: Option<CloseFrame>) -> Self {
        match frame {
            None => {
                Self::ByClient { code: 1005, text: Cow::Borrowed("Client-side close frame status not set") }
            }
            // The WebSocket library replaces a frame with a forbidden code by this one.
            Some(frame) if frame.code == CloseCode::Protocol && frame.reason == "Protocol violation" => {
                Self::InvalidCloseFrame
            }
            Some(frame) => {
                Self::ByClient { code: frame.code.into(), text: Cow::Owned(frame.reason.as_str().to_owned()) }
            }
        }
    }

    /// The reason behind a failed read.
    #[must_use]
    pub fn from_read_error(error: &Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { max_size, .. }) if *max_size == MAX_FRAME => {
                Self::FrameTooLarge
            }
            Error::Capacity(_) => Self::MessageTooLarge,
            Error::Utf8(_) => Self::InvalidUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::ConnectionLost,
            Error::Protocol(_) => Self::ProtocolError,
            _ => Self::ConnectionLost,
        }
    }

    /// `disconnectStatusCode`, and the code in the gateway's close frame: RFC 6455 §7.4.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::ByClient { code, .. } => *code,
            Self::Deleted => 1000,
            Self::IdleTimeout | Self::LifetimeLimit | Self::ServerShutdown => 1001,
            Self::InvalidCloseFrame | Self::ProtocolError => 1002,
            Self::BinaryFrame => 1003,
            Self::ConnectionLost | Self::WriteFailed | Self::UpgradeIncomplete => 1006,
            Self::InvalidUtf8 => 1007,
            Self::FrameTooLarge | Self::MessageTooLarge => 1009,
        }
    }

    /// `disconnectReason`, and the text in the gateway's close frame.
    #[must_use]
    pub fn disconnect_reason(&self) -> &str {
        match self {
            Self::ByClient { text, .. } => text,
            Self::Deleted => "Connection Closed Normally",
            Self::IdleTimeout | Self::LifetimeLimit | Self::ServerShutdown => "Going away",
            Self::InvalidCloseFrame | Self::ProtocolError => "Protocol error",
            Self::BinaryFrame => "Binary frames are not supported",
            Self::ConnectionLost | Self::WriteFailed | Self::UpgradeIncomplete => "",
            Self::InvalidUtf8 => "Invalid UTF-8",
            Self::FrameTooLarge | Self::MessageTooLarge => "Message too big",
        }
    }

    /// The `reason` in the log line `connection closed`: one fixed text per kind.
    #[must_use]
    pub fn log_text(&self) -> &'static str {
        match self {
            Self::ByClient { .. } => "closed by client",
            Self::InvalidCloseFrame | Self::ProtocolError => "protocol error",
            Self::Deleted => "deleted through @connections",
            Self::IdleTimeout => "idle timeout",
            Self::LifetimeLimit => "two-hour limit",
            Self::ServerShutdown => "server shutdown",
            Self::FrameTooLarge => "frame too large",
            Self::MessageTooLarge => "message too large",
            Self::BinaryFrame => "binary frame",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::ConnectionLost => "connection lost",
            Self::WriteFailed => "write failed",
            Self::UpgradeIncomplete => "upgrade never completed",
        }
    }

    /// The close frame that the gateway sends. `None` when the client closed first or cannot be reached.
    pub(super) fn frame(&self) -> Option<CloseFrame> {
        match self {
            Self::ByClient { .. }
            | Self::InvalidCloseFrame
            | Self::ConnectionLost
            | Self::WriteFailed
            | Self::UpgradeIncomplete => None,
            _ => Some(CloseFrame { code: self.code().into(), reason: self.disconnect_reason().into() }),
        }
    }
}
