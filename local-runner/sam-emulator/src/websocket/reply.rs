//! What functions and the gateway answer on an open connection (contract §4.3). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The fields of a proxy reply that count after the upgrade.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured {
    status_code: u16,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Reads a function's reply: the body, if any, whatever the status says. `Err` is a bad shape.
#[expect(clippy::result_unit_err, reason = "there is one way to be wrong and one answer to it")]
pub fn read(payload: &[u8]) -> Result<Option<Utf8Bytes>, ()> {
    let reply: Structured = serde_json::from_slice(payload).map_err(drop)?;
    if !(100..600).contains(&reply.status_code) {
        return Err(());
    }
    let body = reply.body.filter(|body| !body.is_empty());
    match body {
        Some(body) if reply.is_base64_encoded => {
            let bytes = STANDARD.decode(body).map_err(drop)?;
            Utf8Bytes::try_from(bytes).map(Some).map_err(drop)
        }
        body => Ok(body.map(Utf8Bytes::from)),
    }
}

/// Why the gateway itself answers a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No route for it.
    Forbidden,
    /// The function failed, or its reply has a bad shape.
    InternalServerError,
    /// The integration's timeout passed.
    TimedOut,
}

impl Refusal {
    /// The frame, with the gateway's own spacing.
    #[must_use]
    pub fn frame(self, connection_id: &str, request_id: &str) -> String {
        let start = match self {
            Self::Forbidden => r#"{"message":"Forbidden""#,
            Self::InternalServerError => r#"{"message": "Internal server error""#,
            Self::TimedOut => r#"{"message":"Endpoint request timed out""#,
        };
        format!(r#"{start},"connectionId":{},"requestId":{}}}"#, json!(connection_id), json!(request_id))
    }
}
