//! What functions and the gateway send on an open connection (API Gateway guide,
//! `apigateway-websocket-api-route-response`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::gateway::reply_status;

/// The fields of a proxy reply that have an effect after the upgrade.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageReply {
    status_code: Value,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The reply is not a proxy reply, or its body cannot be a text frame.
#[derive(Debug)]
pub(super) struct InvalidReply;

/// The body of a function's reply, if it has one. The status has no effect.
pub(super) fn read(payload: &[u8]) -> Result<Option<Utf8Bytes>, InvalidReply> {
    let reply: MessageReply = serde_json::from_slice(payload).map_err(|_| InvalidReply)?;
    if !reply_status(&reply.status_code).is_some_and(|status| (100..600).contains(&status)) {
        return Err(InvalidReply);
    }
    let body = reply.body.filter(|body| !body.is_empty());
    match body {
        Some(body) if reply.is_base64_encoded => {
            let bytes = STANDARD.decode(body).map_err(|_| InvalidReply)?;
            Utf8Bytes::try_from(bytes).map(Some).map_err(|_| InvalidReply)
        }
        body => Ok(body.map(Utf8Bytes::from)),
    }
}

/// An error that the gateway itself sends to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GatewayError {
    /// No route matches the message, and there is no `$default`.
    Forbidden,
    /// The function failed, or its reply is not valid.
    InternalServerError,
    /// The route's timeout passed.
    TimedOut,
    /// The authorizer knows no caller.
    Unauthorized,
}

impl GatewayError {
    /// The text of the frame, with the same spaces as API Gateway's.
    #[must_use]
    pub(super) fn frame(self, connection_id: &str, request_id: &str) -> String {
        let start = match self {
            Self::Forbidden => r#"{"message":"Forbidden""#,
            Self::InternalServerError => r#"{"message": "Internal server error""#,
            Self::TimedOut => r#"{"message":"Endpoint request timed out""#,
            Self::Unauthorized => r#"{"message":"Unauthorized""#,
        };
        format!(r#"{start},"connectionId":{},"requestId":{}}}"#, json!(connection_id), json!(request_id))
    }
}
