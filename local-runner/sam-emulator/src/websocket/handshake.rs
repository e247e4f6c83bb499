//! The HTTP side of an upgrade: recognising an upgrade request, checking it, and the 101 response (RFC 6455
//! §4.2).

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::endpoint::{Response, empty, message};

const CONNECTION_ID: HeaderName = HeaderName::from_static("x-amzn-connection-id");

/// Whether a request asks for a WebSocket, even if the rest of it is not valid.
pub(super) fn is_upgrade(head: &Parts) -> bool {
    has_token(&head.headers, &UPGRADE, "websocket")
}

/// The value of `Sec-WebSocket-Key`, or the response to an upgrade request that is not valid.
pub(super) fn check(head: &Parts) -> Result<HeaderValue, Box<Response>> {
    if head.headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response = message(StatusCode::UPGRADE_REQUIRED, "Upgrade Required");
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(Box::new(response));
    }
    let key = head.headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()));
    match key {
        Some(key) if head.method == Method::GET && has_token(&head.headers, &CONNECTION, "upgrade") => {
            Ok(key.clone())
        }
        _ => Err(Box::new(message(StatusCode::BAD_REQUEST, "Bad Request"))),
    }
}

/// The 101 response. Unlike AWS's it names the connection id, so that tools can use `@connections/{id}`.
pub(super) fn switching_protocols(
    key: &HeaderValue,
    protocol: Option<HeaderValue>,
    connection_id: &str,
) -> Response {
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    // The accept key and the connection id are base64, so both are valid header values.
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Ok(id) = HeaderValue::from_str(connection_id) {
        headers.insert(CONNECTION_ID, id);
    }
    if let Some(protocol) = protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

/// Whether a key has the form of 16 bytes in base64.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24 && key.ends_with(b"==")
}

/// Whether a comma-separated header contains a token, in upper or lower case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|it| it.trim().eq_ignore_ascii_case(token))
}
