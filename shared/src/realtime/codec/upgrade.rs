//! Chooses the dialect of a connection from the query of its upgrade request.

use serde::Serialize;

use super::bounded;
use crate::connection::Dialect;

/// Why an upgrade request is refused. The answer is HTTP 400 with [`UpgradeError::body`]. The texts are those of
/// Engine.IO's reference server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// `transport` is missing or not `websocket`. The gateway does not support long polling.
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

/// The dialect for a query's `EIO` and `transport`: JSON if both are absent, Socket.IO for `4` and `websocket`.
///
/// # Errors
///
/// [`UpgradeError`] for everything else.
pub fn dialect(eio: Option<&str>, transport: Option<&str>) -> Result<Dialect, UpgradeError> {
    match (eio, transport) {
        (None, None) => Ok(Dialect::Json),
        (Some("4"), Some("websocket")) => Ok(Dialect::SocketIo),
        (_, Some("websocket")) => Err(UpgradeError::UnsupportedProtocolVersion),
        _ => Err(UpgradeError::UnknownTransport),
    }
}
