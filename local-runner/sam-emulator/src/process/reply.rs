//! What a function's runtime posts, as the invoker returns it: errors with their type and message, and
//! streamed HTTP responses as one JSON reply.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::invoke::{FunctionError, InvokeError};

/// The content type of a stream that begins with an HTTP status and headers.
const HTTP_INTEGRATION: &[u8] = b"application/vnd.awslambda.http-integration-response";
/// What separates that beginning from the body.
const SEPARATOR: [u8; 8] = [0; 8];

/// An error that a runtime reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuntimeFailure {
    error_type: String,
    message: String,
    /// The body as it was posted, if it is JSON.
    payload: Option<Bytes>,
}

/// The body of an error, as far as it follows Lambda's form.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ErrorBody {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl RuntimeFailure {
    /// The error of `/invocation/{id}/error` and `/init/error`. The body may be anything; the header
    /// `Lambda-Runtime-Function-Error-Type` then has the type.
    pub(super) fn new(headers: &HeaderMap, payload: Bytes) -> Self {
        let header = headers.get("lambda-runtime-function-error-type");
        let header = header.and_then(|kind| kind.to_str().ok()).unwrap_or("Unhandled");
        match serde_json::from_slice::<ErrorBody>(&payload) {
            Ok(body) => Self {
                error_type: body.error_type.unwrap_or_else(|| header.to_owned()),
                message: body.error_message.unwrap_or_default(),
                payload: Some(payload),
            },
            Err(_) => Self {
                error_type: header.to_owned(),
                message: String::from_utf8_lossy(&payload).into_owned(),
                payload: None,
            },
        }
    }

    /// The error at the end of a stream, whose trailer has the body in base64; `None` without such trailers.
    pub(super) fn from_trailers(trailers: &HeaderMap) -> Option<Self> {
        trailers.get("lambda-runtime-function-error-type")?;
        let body = trailers.get("lambda-runtime-function-error-body");
        let body = body.and_then(|body| STANDARD.decode(body.as_bytes()).ok()).unwrap_or_default();
        Some(Self::new(trailers, body.into()))
    }
}

impl RuntimeFailure {
    /// The same error as the Rust runtime reports it (`lambda_runtime` 1.5, `requests.rs`): it writes the two
    /// trailers as text at the end of the body.
    pub(super) fn from_stream_end(body: &[u8]) -> Option<Self> {
        let start = body.windows(TYPE_LINE.len()).rposition(|window| window == TYPE_LINE)?;
        let lines = std::str::from_utf8(&body[start..]).ok()?.strip_suffix("\r\n")?;
        let (kind, text) = lines.split_once("\r\n")?;
        let (kind, text) =
            (kind.split_once(": ")?.1, text.strip_prefix("Lambda-Runtime-Function-Error-Body: ")?);
        let mut trailers = HeaderMap::new();
        trailers.insert("lambda-runtime-function-error-type", kind.parse().ok()?);
        trailers.insert("lambda-runtime-function-error-body", text.parse().ok()?);
        Self::from_trailers(&trailers)
    }
}

const TYPE_LINE: &[u8] = b"Lambda-Runtime-Function-Error-Type: ";

impl From<FunctionError> for RuntimeFailure {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.error_type, message: error.message, payload: None }
    }
}

impl From<RuntimeFailure> for InvokeError {
    fn from(failure: RuntimeFailure) -> Self {
        let RuntimeFailure { error_type, message, payload } = failure;
        Self::Function { error_type, message, payload }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Prelude {
    status_code: u16,
    headers: Map<String, Value>,
    cookies: Vec<String>,
}

impl Default for Prelude {
    fn default() -> Self {
        Self { status_code: 200, headers: Map::new(), cookies: Vec::new() }
    }
}

/// The reply of a stream that has ended. An HTTP API cannot stream, so status, headers and body become one
/// reply of payload format 2.0; a stream of any other type is returned as it is.
pub(super) fn from_stream(content_type: Option<&HeaderValue>, body: Bytes) -> Bytes {
    if content_type.is_none_or(|kind| kind.as_bytes() != HTTP_INTEGRATION) {
        return body;
    }
    let Some(end) = body.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) else { return body };
    let Ok(prelude) = serde_json::from_slice::<Prelude>(&body[..end]) else { return body };
    let content = &body[end + SEPARATOR.len()..];
    let (text, is_base64) = match std::str::from_utf8(content) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(content), true),
    };
    let reply = json!({
        "statusCode": prelude.status_code, "headers": prelude.headers, "cookies": prelude.cookies,
        "body": text, "isBase64Encoded": is_base64,
    });
    reply.to_string().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};
    use serde_json::{Value, json};

    use super::{RuntimeFailure, from_stream};

    #[test]
    fn an_http_stream_becomes_one_reply() {
        let kind = HeaderValue::from_static("application/vnd.awslambda.http-integration-response");
        let prelude = r#"{"statusCode":201,"headers":{"x":"y"},"cookies":["a=b"]}"#;
        let stream = |body: &[u8]| Bytes::from([prelude.as_bytes(), &[0; 8], body].concat());
        let reply = |body: &[u8]| -> Value {
            serde_json::from_slice(&from_stream(Some(&kind), stream(body))).unwrap()
        };
        let expected = json!({"statusCode":201,"headers":{"x":"y"},"cookies":["a=b"],"body":"ok","isBase64Encoded":false});
        assert_eq!(reply(b"ok"), expected);
        assert_eq!(reply(&[0xff])["body"], "/w==");
        assert_eq!(reply(&[0xff])["isBase64Encoded"], true);
        let other = HeaderValue::from_static("text/plain");
        assert_eq!(from_stream(Some(&other), stream(b"ok")), stream(b"ok"));
        assert_eq!(from_stream(Some(&kind), "no prelude".into()), "no prelude");
    }

    #[test]
    fn an_error_of_any_form_has_a_type_and_a_message() {
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap, body: &'static str| {
            let RuntimeFailure { error_type, message, payload } = RuntimeFailure::new(headers, body.into());
            (error_type, message, payload.is_some())
        };
        let text = |kind: &str, message: &str, is_json| (kind.to_owned(), message.to_owned(), is_json);
        assert_eq!(
            read(&headers, r#"{"errorType":"E","errorMessage":"m","stackTrace":[]}"#),
            text("E", "m", true)
        );
        assert_eq!(read(&headers, "oops"), text("Unhandled", "oops", false));
        headers.insert("lambda-runtime-function-error-type", HeaderValue::from_static("Runtime.Oops"));
        assert_eq!(read(&headers, "{}"), text("Runtime.Oops", "", true));
    }
}
