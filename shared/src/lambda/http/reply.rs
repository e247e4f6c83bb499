//! HTTP replies: the status, the JSON envelope or a page's file, and the headers.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use lambda_http::Body;
use serde::Serialize;
use serde_json::{Value, json};

use super::file::{File, accepts_gzip};
use super::request::Request;
use crate::error::{Error, FieldError};
use crate::lambda::status::status;
use crate::telemetry::REQUESTS;

/// The reply of a handler that did not fail.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Data { data: Value, message: Option<&'static str> },
    File { file: File, gzip: bool },
}

/// The data of a reply that has none.
static NO_DATA: Value = Value::Null;

impl Reply {
    /// 200 with data.
    ///
    /// # Errors
    /// `Internal` if the data cannot be serialised.
    pub fn ok(data: impl Serialize) -> Result<Self, Error> {
        Self::with(StatusCode::OK, data)
    }

    /// 201 with data.
    ///
    /// # Errors
    /// `Internal` if the data cannot be serialised.
    pub fn created(data: impl Serialize) -> Result<Self, Error> {
        Self::with(StatusCode::CREATED, data)
    }

    /// 503 with data, for the health check.
    ///
    /// # Errors
    /// `Internal` if the data cannot be serialised.
    pub fn unavailable(data: impl Serialize) -> Result<Self, Error> {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, data)
    }

    /// 200 with a file. Browsers ask for it again each time, so that a page and its script are of one version.
    pub fn file(file: File) -> Self {
        Self { status: StatusCode::OK, content: Content::File { file, gzip: false } }
    }

    /// The reply to this request: 304 without the file if the client has this version of it already, and the file
    /// compressed if the client accepts that.
    #[must_use]
    pub fn for_request(mut self, request: &Request) -> Self {
        if let Content::File { file, gzip } = &mut self.content {
            *gzip = accepts_gzip(&request.headers);
            if file.is_known(&request.headers) {
                self.status = StatusCode::NOT_MODIFIED;
            }
        }
        self
    }

    /// Adds a message for people; a file has none.
    #[must_use]
    pub fn with_message(mut self, text: &'static str) -> Self {
        if let Content::Data { message, .. } = &mut self.content {
            *message = Some(text);
        }
        self
    }

    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Null for a file.
    pub fn data(&self) -> &Value {
        match &self.content {
            Content::Data { data, .. } => data,
            Content::File { .. } => &NO_DATA,
        }
    }

    fn with(status: StatusCode, data: impl Serialize) -> Result<Self, Error> {
        let data = serde_json::to_value(data).map_err(|e| Error::Internal(Box::new(e)))?;
        Ok(Self { status, content: Content::Data { data, message: None } })
    }

    /// The HTTP response: `{success, data, message?}`, or the file.
    pub(super) fn into_response(self, request_id: &str) -> Response<Body> {
        match self.content {
            Content::Data { data, message } => data_response(self.status, &data, message, request_id),
            Content::File { file, gzip } => file_response(self.status, file, gzip, request_id),
        }
    }
}

fn data_response(
    status: StatusCode,
    data: &Value,
    message: Option<&'static str>,
    request_id: &str,
) -> Response<Body> {
    let mut body = json!({ "success": status.is_success(), "data": data });
    if let Some(message) = message {
        body["message"] = message.into();
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        body["error"] = json!({ "code": "UNAVAILABLE", "requestId": request_id });
    }
    response(status, &body, request_id)
}

fn file_response(status: StatusCode, file: File, gzip: bool, request_id: &str) -> Response<Body> {
    let mut response = with_headers(status, Body::Empty, request_id);
    file.set_headers(response.headers_mut());
    if status != StatusCode::NOT_MODIFIED {
        file.set_body(&mut response, gzip);
    }
    response
}

/// The status and the body for an error: `{success, message, error: {code, requestId, details?}}`.
pub fn failure(error: &Error, request_id: &str) -> (u16, Value) {
    let mut details = json!({ "code": error.code(), "requestId": request_id });
    if let Error::Invalid(fields) = error {
        details["details"] = fields
            .iter()
            .map(|FieldError { field, message }| json!({ "field": field, "message": message }))
            .collect();
    }
    let body = json!({ "success": false, "message": error.to_string(), "error": details });
    (status(error).as_u16(), body)
}

/// The HTTP response for an error.
pub(super) fn error_response(error: &Error, request_id: &str) -> Response<Body> {
    let (_, body) = failure(error, request_id);
    let mut response = response(status(error), &body, request_id);
    let headers = response.headers_mut();
    if let Error::Unauthenticated(_) = error {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Error::RateLimited(limited) = error {
        headers.insert(RETRY_AFTER, HeaderValue::from(limited.retry_after_secs));
        headers.insert(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(limited.limit));
        headers.insert(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(0));
        headers
            .insert(HeaderName::from_static("ratelimit-reset"), HeaderValue::from(limited.retry_after_secs));
    }
    response
}

/// Headers of every response: the defaults of the Node library Helmet, with a stricter content security policy.
const SECURITY_HEADERS: [(&str, &str); 12] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("x-dns-prefetch-control", "off"),
    ("x-download-options", "noopen"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-xss-protection", "0"),
];

fn response(status: StatusCode, body: &Value, request_id: &str) -> Response<Body> {
    with_headers(status, Body::Text(body.to_string()), request_id)
}

/// A response with the headers of JSON data.
fn with_headers(status: StatusCode, body: Body, request_id: &str) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in SECURITY_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// The one log line of a request. The cause of a server error is written here only; clients do not get it.
pub(super) fn log(id: &str, route: &str, result: &Result<Reply, Error>) {
    match result {
        Ok(reply) => {
            tracing::info!(target: REQUESTS, request_id = id, route, status = reply.status.as_u16(), "request handled");
        }
        Err(error) => {
            let status = status(error);
            let cause = std::error::Error::source(error).map(|c| format!("{c}: {c:?}"));
            if status.is_server_error() {
                tracing::error!(target: REQUESTS, request_id = id, route, status = status.as_u16(), code = error.code(), cause, "request failed");
            } else {
                tracing::info!(target: REQUESTS, request_id = id, route, status = status.as_u16(), code = error.code(), "request refused");
            }
        }
    }
}
