//! The outcome of `$connect` → the response to the upgrade request (API Gateway guide,
//! `apigateway-websocket-api-route-keys-connect-disconnect`).

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::{self, GatewayError};
use crate::authorizer::Refusal;
use crate::endpoint::{Response, json, message};
use crate::gateway::reply_status;
use crate::invoke::InvokeError;

/// Whether the gateway accepts the connection.
#[derive(Debug)]
pub(super) enum Decision {
    /// Answer 101, with the sub-protocol that the function chose.
    Accept(Option<HeaderValue>),
    /// Answer this instead.
    Refuse(Response),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectReply {
    status_code: Value,
    headers: Option<Map<String, Value>>,
    multi_value_headers: Option<Map<String, Value>>,
}

/// Decides by the outcome of invoking `$connect`; `None` means that the route's timeout passed.
#[must_use]
pub(super) fn decide(
    outcome: Option<Result<&[u8], &InvokeError>>,
    connection_id: &str,
    request_id: &str,
) -> Decision {
    let refuse =
        |status, error: GatewayError| Decision::Refuse(json(status, error.frame(connection_id, request_id)));
    let payload = match outcome {
        Some(Ok(payload)) => payload,
        Some(Err(InvokeError::Throttled)) => {
            return Decision::Refuse(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
        }
        Some(Err(InvokeError::NotFound(_))) => {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, GatewayError::InternalServerError);
        }
        Some(Err(InvokeError::Function { .. })) => {
            return refuse(StatusCode::BAD_GATEWAY, GatewayError::InternalServerError);
        }
        None => return refuse(StatusCode::GATEWAY_TIMEOUT, GatewayError::TimedOut),
    };
    read(payload).unwrap_or_else(|| refuse(StatusCode::BAD_GATEWAY, GatewayError::InternalServerError))
}

/// The response to an upgrade request that the authorizer refuses.
#[must_use]
pub(super) fn refuse(refusal: &Refusal, connection_id: &str, request_id: &str) -> Decision {
    let (status, error) = match refusal {
        Refusal::Unauthorized(_) => (StatusCode::UNAUTHORIZED, GatewayError::Unauthorized),
        Refusal::Forbidden => (StatusCode::FORBIDDEN, GatewayError::Forbidden),
        Refusal::Failed => (StatusCode::INTERNAL_SERVER_ERROR, GatewayError::InternalServerError),
    };
    Decision::Refuse(json(status, error.frame(connection_id, request_id)))
}

/// Decides by the function's reply; `None` when it is not a proxy reply.
fn read(payload: &[u8]) -> Option<Decision> {
    let reply: ConnectReply = serde_json::from_slice(payload).ok()?;
    let status = StatusCode::from_u16(reply_status(&reply.status_code)?)
        .ok()
        .filter(|status| status.as_u16() < 600)?;
    if status.is_success() {
        return Some(Decision::Accept(protocol(&reply)));
    }
    if status.is_informational() {
        return None;
    }
    // AWS drops the body. The emulator keeps it, because it says what is wrong.
    let body = reply::read(payload).ok()?.unwrap_or_default();
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    let mut response = json(status, body);
    if !is_json {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    Some(Decision::Refuse(response))
}

/// `Sec-WebSocket-Protocol` from either header map; `lambda_http` writes it to `multiValueHeaders` only.
fn protocol(reply: &ConnectReply) -> Option<HeaderValue> {
    let find = |map: &Option<Map<String, Value>>| {
        let mut fields = map.iter().flatten();
        fields
            .find(|(name, _)| SEC_WEBSOCKET_PROTOCOL.as_str().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let multi = find(&reply.multi_value_headers).and_then(|values| values.get(0).cloned());
    let value = multi.or_else(|| find(&reply.headers))?;
    HeaderValue::from_str(value.as_str()?).ok()
}
