//! The upgrade request: which dialect its query asks for.

use serde::Serialize;

use super::bounded;
use crate::connection::Dialect;

/// Why a handshake is refused. The answer is an HTTP 400 with [`UpgradeError::body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// `transport` is missing or not `websocket`; long polling cannot pass a WebSocket gateway.
    #[error("Transport unknown")]
    UnknownTransport,
    /// `EIO` is missing or not `4`.
    #[error("Unsupported protocol version")]
    UnsupportedProtocolVersion,
}

impl UpgradeError {
    /// The body as Engine.IO's reference server writes it: `{"code":0,"message":"Transport unknown"}`.
    pub fn body(self) -> String {
        #[derive(Serialize)]
        struct Body {
            code: u8,
            message: String,
        }
        let code = match self {
            Self::UnknownTransport => 0,
            Self::UnsupportedProtocolVersion => 5,
        };
        bounded::to_string(&Body { code, message: self.to_string() })
    }
}

/// The dialect that the query's `EIO` and `transport` ask for: Socket.IO if either is there, else JSON.
///
/// # Errors
///
/// [`UpgradeError`] if one of them is there and they are not `4` and `websocket`.
pub fn dialect(eio: Option<&str>, transport: Option<&str>) -> Result<Dialect, UpgradeError> {
    match (eio, transport) {
        (None, None) => Ok(Dialect::Json),
        (Some("4"), Some("websocket")) => Ok(Dialect::SocketIo),
        (_, Some("websocket")) => Err(UpgradeError::UnsupportedProtocolVersion),
        _ => Err(UpgradeError::UnknownTransport),
    }
}
