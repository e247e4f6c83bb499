//! What REST APIs do in another way than HTTP APIs (API Gateway guide,
//! `set-up-lambda-proxy-integrations`): the event, and CORS through an OPTIONS method.

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue,
};
use http::request::Parts;
use serde_json::{Value, json};

use super::event::RequestMeta;
use super::event_v1;
use super::route::RouteMatch;
use crate::endpoint::{Response, empty};
use crate::plan::CorsPlan;

/// Builds the event: format 1.0 without a version. `path` has no stage, `requestContext.path` has one, and a
/// body that is UTF-8 stays text.
pub(super) fn event(
    head: &Parts,
    body: &Bytes,
    found: &RouteMatch<'_>,
    meta: &RequestMeta<'_>,
    path: &str,
) -> Vec<u8> {
    let event = event_v1::build(head, body, found, meta);
    let Ok(Value::Object(mut event)) = serde_json::from_slice(&event) else { return event };
    event.remove("version");
    event.insert("path".to_owned(), json!(path));
    if let Ok(text) = std::str::from_utf8(body)
        && !text.is_empty()
    {
        event.insert("body".to_owned(), json!(text));
        event.insert("isBase64Encoded".to_owned(), json!(false));
    }
    if let Some(Value::Object(context)) = event.get_mut("requestContext") {
        context.insert("path".to_owned(), json!(format!("/{}{path}", meta.stage)));
        context.insert("extendedRequestId".to_owned(), json!(meta.request_id));
        context.insert("resourceId".to_owned(), json!("local"));
    }
    Value::Object(event).to_string().into_bytes()
}

/// The response of the OPTIONS method that `Cors` adds to every path. Other responses have only the headers
/// of their functions.
pub(super) fn preflight(cors: &CorsPlan) -> Response {
    const METHODS: &str = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";
    let mut response = empty(StatusCode::OK);
    let mut add = |name: HeaderName, text: &str| {
        if let Some(value) = HeaderValue::from_str(text).ok().filter(|value| !value.is_empty()) {
            response.headers_mut().insert(name, value);
        }
    };
    let methods = cors.allow_methods.join(",");
    add(ACCESS_CONTROL_ALLOW_ORIGIN, &cors.allow_origins.join(","));
    add(ACCESS_CONTROL_ALLOW_METHODS, if methods.is_empty() { METHODS } else { &methods });
    add(ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(","));
    add(ACCESS_CONTROL_ALLOW_CREDENTIALS, if cors.allow_credentials { "true" } else { "" });
    add(ACCESS_CONTROL_MAX_AGE, &cors.max_age.map(|seconds| seconds.to_string()).unwrap_or_default());
    response
}
