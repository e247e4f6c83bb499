//! What `$connect` answered → the answer to the upgrade (contract §4.1). Pure.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::{self, Refusal};
use crate::invoke::InvokeError;
use crate::mount::{Response, json, message};

/// Whether the connection comes to be.
#[derive(Debug)]
pub enum Decision {
    /// 101, with the sub-protocol that the function chose.
    Accept(Option<HeaderValue>),
    /// Any other status.
    Refuse(Response),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured {
    status_code: u16,
    headers: Option<Map<String, Value>>,
    multi_value_headers: Option<Map<String, Value>>,
}

/// Reads what came of invoking `$connect`; `None` is the integration's timeout.
#[must_use]
pub fn decide(
    outcome: Option<Result<&[u8], &InvokeError>>,
    connection_id: &str,
    request_id: &str,
) -> Decision {
    let own =
        |status, refusal: Refusal| Decision::Refuse(json(status, refusal.frame(connection_id, request_id)));
    let payload = match outcome {
        Some(Ok(payload)) => payload,
        Some(Err(InvokeError::Throttled)) => {
            return Decision::Refuse(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
        }
        Some(Err(InvokeError::NotFound(_))) => {
            return own(StatusCode::INTERNAL_SERVER_ERROR, Refusal::InternalServerError);
        }
        Some(Err(InvokeError::Function { .. })) => {
            return own(StatusCode::BAD_GATEWAY, Refusal::InternalServerError);
        }
        None => return own(StatusCode::GATEWAY_TIMEOUT, Refusal::TimedOut),
    };
    read(payload).unwrap_or_else(|| own(StatusCode::BAD_GATEWAY, Refusal::InternalServerError))
}

/// A proxy reply; `None` for a bad shape.
fn read(payload: &[u8]) -> Option<Decision> {
    let reply: Structured = serde_json::from_slice(payload).ok()?;
    let status = StatusCode::from_u16(reply.status_code).ok().filter(|status| status.as_u16() < 600)?;
    if status.is_success() {
        return Some(Decision::Accept(protocol(&reply)));
    }
    if status.is_informational() {
        return None;
    }
    // AWS drops the body; at home it tells what is wrong.
    let body = reply::read(payload).ok()?.unwrap_or_default();
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    let mut response = json(status, body);
    if !is_json {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    Some(Decision::Refuse(response))
}

/// `Sec-WebSocket-Protocol` from either map; `lambda_http` writes the second only.
fn protocol(reply: &Structured) -> Option<HeaderValue> {
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
