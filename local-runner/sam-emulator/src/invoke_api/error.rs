//! What the Invoke API itself refuses: status, `x-amzn-ErrorType` (where the SDK looks first) and body.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::mount::{self, Response};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// A refusal of the service; no function has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServiceError {
    /// No function has this ARN.
    NotFound(String),
    /// The path names nothing that could be a function.
    InvalidName(String),
    /// An unknown `X-Amz-Invocation-Type`.
    InvalidType(String),
    /// The payload is not JSON, and why.
    NotJson(String),
    /// More bytes than this.
    TooLarge(usize),
    /// Reserved concurrency is used up.
    Throttled,
    /// No operation of the API.
    NoSuchOperation,
}

/// The body, in Lambda's order; `ResourceNotFoundException` alone writes `Message`.
#[derive(Serialize)]
struct Body {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "Message", skip_serializing_if = "Option::is_none")]
    capital: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(rename = "Reason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ServiceError {
    /// The answer.
    pub(super) fn into_response(self) -> Response {
        let (status, kind) = self.class();
        // Three strings always serialize.
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        let mut response = mount::json(status, body);
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn class(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::InvalidName(_) | Self::InvalidType(_) => {
                (StatusCode::BAD_REQUEST, "InvalidParameterValueException")
            }
            Self::NotJson(_) => (StatusCode::BAD_REQUEST, "InvalidRequestContentException"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            Self::NoSuchOperation => (StatusCode::NOT_FOUND, "UnknownOperationException"),
        }
    }

    fn body(self) -> Body {
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        let reason = (self == Self::Throttled).then_some(reason);
        let message = match self {
            Self::NotFound(arn) => {
                let capital = Some(format!("Function not found: {arn}"));
                return Body { kind: "User", capital, message: None, reason };
            }
            Self::InvalidName(name) => format!("Invalid function name: {name}"),
            Self::InvalidType(kind) => format!("Invalid invocation type: {kind}"),
            Self::NotJson(why) => format!("Could not parse request body into json: {why}"),
            Self::TooLarge(limit) => {
                format!("Request must be smaller than {limit} bytes for the InvokeFunction operation")
            }
            Self::Throttled => "Rate Exceeded.".to_owned(),
            Self::NoSuchOperation => "No such operation.".to_owned(),
        };
        Body { kind: "User", capital: None, message: Some(message), reason }
    }
}
