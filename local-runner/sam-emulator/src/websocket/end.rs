//! Why a connection ended: the close code and reason that the peer and `$disconnect` see.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// One end. The reasons are those that API Gateway was seen to give (contract §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `disconnectStatusCode`.
    pub code: u16,
    /// `disconnectReason`.
    pub reason: Cow<'static, str>,
    /// Whether the gateway began it, so that the peer must still be sent a close frame.
    pub is_ours: bool,
}

impl End {
    /// `DELETE @connections`.
    pub const DELETED: Self = Self::ours(1000, "Connection Closed Normally");
    /// Idle, too old, or the runner ends.
    pub const GOING_AWAY: Self = Self::ours(1001, "Going away");
    /// A frame or message over the limit.
    pub const TOO_BIG: Self = Self::ours(1009, "Message too big");
    /// A binary frame.
    pub const BINARY: Self = Self::ours(1003, "Binary frames are not supported");
    /// Text that is not UTF-8.
    pub const NOT_UTF8: Self = Self::ours(1007, "Invalid UTF-8");
    /// Anything else that RFC 6455 forbids.
    pub const PROTOCOL: Self = Self::ours(1002, "Protocol error");
    /// The line broke without a close frame.
    pub const ABNORMAL: Self = Self { code: 1006, reason: Cow::Borrowed(""), is_ours: false };

    const fn ours(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), is_ours: true }
    }

    /// The peer's own close frame; one without a status is 1005.
    #[must_use]
    pub fn by_peer(frame: Option<CloseFrame>) -> Self {
        let Some(frame) = frame else {
            let reason = Cow::Borrowed("Client-side close frame status not set");
            return Self { code: 1005, reason, is_ours: false };
        };
        Self { code: frame.code.into(), reason: frame.reason.as_str().to_owned().into(), is_ours: false }
    }

    /// What a failure to read means.
    #[must_use]
    pub fn by_error(error: &Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TOO_BIG,
            Error::Utf8(_) => Self::NOT_UTF8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::ABNORMAL,
            Error::Protocol(_) => Self::PROTOCOL,
            _ => Self::ABNORMAL,
        }
    }

    /// The frame that tells the peer.
    pub(super) fn frame(&self) -> CloseFrame {
        CloseFrame { code: self.code.into(), reason: self.reason.as_ref().into() }
    }
}
