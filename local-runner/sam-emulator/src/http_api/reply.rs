//! A function's reply JSON → the HTTP response (API Gateway guide, `http-api-develop-integrations-lambda`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::headers::is_hop_by_hop;
use crate::endpoint::{Response, json};
use crate::gateway::reply_status;

/// A reply that the gateway cannot convert; it answers 500. The text says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct InvalidReply(&'static str);

/// The fields of a reply. The gateway reads `multiValueHeaders` in format 1.0 only, `cookies` in 2.0 only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyReply {
    status_code: Option<Value>,
    headers: Option<Map<String, Value>>,
    multi_value_headers: Option<Map<String, Value>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// Converts a reply of payload format 2.0. Without a `statusCode`, the whole reply becomes the body with status
/// 200 and type JSON, even if it is not JSON (recorded from AWS in aws-lambda-dotnet's
/// `InvokeResponseExtensions`; the guide says otherwise).
///
/// # Errors
/// [`InvalidReply`]: the reply has a `statusCode` and a field of the wrong type.
pub(super) fn read(payload: Bytes) -> Result<Response, InvalidReply> {
    if payload.is_empty() {
        return Ok(json_body(Bytes::from_static(b"null")));
    }
    match serde_json::from_slice::<ProxyReply>(&payload) {
        Ok(ProxyReply { status_code: None | Some(Value::Null), .. }) => without_status(payload),
        Ok(mut reply) => {
            reply.multi_value_headers = None;
            with_status(reply)
        }
        Err(_) => without_status(payload),
    }
}

/// Converts a reply of payload format 1.0, which must have a `statusCode`.
///
/// # Errors
/// [`InvalidReply`]: the reply is not an object of this format.
pub(super) fn read_v1(payload: &[u8]) -> Result<Response, InvalidReply> {
    let mut reply: ProxyReply = serde_json::from_slice(payload)
        .map_err(|_| InvalidReply("the reply is not an object with statusCode"))?;
    reply.cookies = None;
    with_status(reply)
}

fn without_status(payload: Bytes) -> Result<Response, InvalidReply> {
    match serde_json::from_slice::<Value>(&payload) {
        Ok(Value::String(text)) => Ok(json_body(text.into())),
        Ok(Value::Object(map)) if map.get("statusCode").is_some_and(|status| !status.is_null()) => {
            Err(InvalidReply("the reply has a statusCode and a field of the wrong type"))
        }
        _ => Ok(json_body(payload)),
    }
}

fn json_body(body: Bytes) -> Response {
    json(StatusCode::OK, body)
}

fn with_status(reply: ProxyReply) -> Result<Response, InvalidReply> {
    let status = status(reply.status_code.as_ref())?;
    let mut headers = HeaderMap::new();
    for cookie in reply.cookies.iter().flatten() {
        headers.append(SET_COOKIE, value(cookie)?);
    }
    for (name, text) in reply.headers.iter().flatten() {
        add(&mut headers, name, text)?;
    }
    for (name, texts) in reply.multi_value_headers.iter().flatten() {
        let texts = texts.as_array().ok_or(InvalidReply("a value of multiValueHeaders is not a list"))?;
        add_list(&mut headers, &parse_name(name)?, texts)?;
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    let mut response = Response::new(Full::new(body(reply.body, reply.is_base64_encoded)?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A status from 200 to 599: a number, or its digits as text.
fn status(given: Option<&Value>) -> Result<StatusCode, InvalidReply> {
    let number = given.and_then(reply_status).filter(|number| (200..600).contains(number));
    number
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or(InvalidReply("statusCode is not an HTTP status from 200 to 599"))
}

fn body(text: Option<String>, is_base64: Option<bool>) -> Result<Bytes, InvalidReply> {
    match (text, is_base64) {
        (None, _) => Ok(Bytes::new()),
        (Some(text), Some(true)) => STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(|_| InvalidReply("isBase64Encoded is true and the body is not base64")),
        (Some(text), _) => Ok(text.into()),
    }
}

fn add(headers: &mut HeaderMap, name: &str, text: &Value) -> Result<(), InvalidReply> {
    let text = match text {
        Value::Null => return Ok(()),
        Value::String(text) => value(text)?,
        Value::Number(_) | Value::Bool(_) => value(&text.to_string())?,
        _ => return Err(InvalidReply("the value of a header is a list or an object")),
    };
    let name = parse_name(name)?;
    // The server sets Content-Length from the body.
    if !is_hop_by_hop(&name) && name != CONTENT_LENGTH {
        headers.append(name, text);
    }
    Ok(())
}

/// Adds the values of a list after a single value of the same name (aws-lambda-dotnet's recorded
/// `V1_CombinesSingleAndMultiValueHeadersHttpV1`). A single value that the list repeats counts once (API Gateway
/// guide, `set-up-lambda-proxy-integrations`).
fn add_list(headers: &mut HeaderMap, name: &HeaderName, texts: &[Value]) -> Result<(), InvalidReply> {
    let mut listed = HeaderMap::new();
    texts.iter().try_for_each(|text| add(&mut listed, name.as_str(), text))?;
    let is_listed = |single: &HeaderValue| listed.get_all(name).iter().any(|value| value == single);
    let singles: Vec<HeaderValue> =
        headers.get_all(name).iter().filter(|single| !is_listed(single)).cloned().collect();
    headers.remove(name);
    for value in singles.into_iter().chain(listed.get_all(name).iter().cloned()) {
        headers.append(name.clone(), value);
    }
    Ok(())
}

fn parse_name(name: &str) -> Result<HeaderName, InvalidReply> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidReply("the name of a header is not valid"))
}

fn value(text: &str) -> Result<HeaderValue, InvalidReply> {
    HeaderValue::from_str(text)
        .or_else(|_| HeaderValue::from_bytes(text.as_bytes()))
        .map_err(|_| InvalidReply("the value of a header is not valid"))
}
