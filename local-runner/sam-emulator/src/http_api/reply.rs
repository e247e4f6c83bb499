//! A function's reply JSON → the HTTP answer (contract §3.3). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::hop;
use crate::mount::Response;

/// The reply has a shape that the gateway answers with 500.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadReply(pub &'static str);

/// The fields the gateway reads; `multiValueHeaders` counts in format 1.0 only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured {
    status_code: Option<Value>,
    headers: Option<Map<String, Value>>,
    multi_value_headers: Option<Map<String, Value>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// Reads a reply of payload format 2.0: structured when it has a `statusCode`, inferred otherwise.
///
/// # Errors
/// [`BadReply`] for what is not JSON or has a `statusCode` beside fields of wrong types.
pub fn read(payload: Bytes) -> Result<Response, BadReply> {
    if payload.is_empty() {
        return Ok(inferred(Bytes::from_static(b"null")));
    }
    match serde_json::from_slice::<Structured>(&payload) {
        Ok(Structured { status_code: None | Some(Value::Null), .. }) => infer(payload),
        Ok(mut reply) => {
            reply.multi_value_headers = None;
            structured(reply)
        }
        Err(_) => infer(payload),
    }
}

/// Reads a reply of payload format 1.0: always structured, and `multiValueHeaders` count.
///
/// # Errors
/// [`BadReply`] for every other shape.
pub fn read_v1(payload: &[u8]) -> Result<Response, BadReply> {
    let mut reply: Structured =
        serde_json::from_slice(payload).map_err(|_| BadReply("not a reply object"))?;
    reply.cookies = None;
    structured(reply)
}

fn infer(payload: Bytes) -> Result<Response, BadReply> {
    match serde_json::from_slice::<Value>(&payload).map_err(|_| BadReply("the reply is not JSON"))? {
        Value::String(text) => Ok(inferred(text.into())),
        Value::Object(map) if map.get("statusCode").is_some_and(|status| !status.is_null()) => {
            Err(BadReply("statusCode beside a field of the wrong type"))
        }
        _ => Ok(inferred(payload)),
    }
}

fn inferred(body: Bytes) -> Response {
    crate::mount::json(StatusCode::OK, body)
}

fn structured(reply: Structured) -> Result<Response, BadReply> {
    let status = status(reply.status_code.as_ref())?;
    let mut headers = HeaderMap::new();
    for cookie in reply.cookies.iter().flatten() {
        headers.append(SET_COOKIE, value(cookie)?);
    }
    for (name, text) in reply.headers.iter().flatten() {
        add(&mut headers, name, text)?;
    }
    for (name, texts) in reply.multi_value_headers.iter().flatten() {
        let texts = texts.as_array().ok_or(BadReply("multiValueHeaders holds lists"))?;
        let name = parse_name(name)?;
        // The list replaces a single value of the same name.
        headers.remove(&name);
        texts.iter().try_for_each(|text| add(&mut headers, name.as_str(), text))?;
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    let mut response = Response::new(Full::new(body(reply.body, reply.is_base64_encoded)?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A number, or its digits as text; 1xx is no answer.
fn status(given: Option<&Value>) -> Result<StatusCode, BadReply> {
    let number = match given {
        Some(Value::Number(number)) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| (200..600).contains(number));
    number
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or(BadReply("statusCode is no HTTP status"))
}

fn body(text: Option<String>, is_base64: Option<bool>) -> Result<Bytes, BadReply> {
    match (text, is_base64) {
        (None, _) => Ok(Bytes::new()),
        (Some(text), Some(true)) => {
            STANDARD.decode(text).map(Bytes::from).map_err(|_| BadReply("the body is not base64"))
        }
        (Some(text), _) => Ok(text.into()),
    }
}

fn add(headers: &mut HeaderMap, name: &str, text: &Value) -> Result<(), BadReply> {
    let text = match text {
        Value::Null => return Ok(()),
        Value::String(text) => value(text)?,
        Value::Number(_) | Value::Bool(_) => value(&text.to_string())?,
        _ => return Err(BadReply("a header is no scalar")),
    };
    let name = parse_name(name)?;
    // The gateway counts the bytes itself.
    if !hop::is_hop_by_hop(&name) && name != CONTENT_LENGTH {
        headers.append(name, text);
    }
    Ok(())
}

fn parse_name(name: &str) -> Result<HeaderName, BadReply> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadReply("a header's name is invalid"))
}

fn value(text: &str) -> Result<HeaderValue, BadReply> {
    HeaderValue::from_str(text)
        .or_else(|_| HeaderValue::from_bytes(text.as_bytes()))
        .map_err(|_| BadReply("a header's value is invalid"))
}
