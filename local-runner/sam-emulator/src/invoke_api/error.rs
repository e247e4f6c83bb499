//! Errors of the Invoke API itself: status, `x-amzn-ErrorType` (which the SDKs read first) and body.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::endpoint::{Response, json};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why the API did not invoke a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServiceError {
    /// No function has this ARN.
    NotFound(String),
    /// The path has this text where a function's name is expected.
    InvalidName(String),
    /// `X-Amz-Invocation-Type` has this unknown value.
    InvalidType(String),
    /// `X-Amz-Client-Context` is not base64 of JSON, or too long.
    InvalidClientContext,
    /// The payload is not JSON; the text says why.
    NotJson(String),
    /// The payload is larger than this number of bytes.
    TooLarge(usize),
    /// The reserved concurrency is in use.
    Throttled,
    /// The API has no operation with this method and path.
    NoSuchOperation,
}

/// The body, with the fields in Lambda's order. Only `ResourceNotFoundException` spells `Message` with a
/// capital.
#[derive(Serialize)]
struct ErrorBody {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "Message", skip_serializing_if = "Option::is_none")]
    capital_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(rename = "Reason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ServiceError {
    pub(super) fn into_response(self) -> Response {
        let (status, kind) = self.status_and_type();
        // Serializing strings cannot fail.
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        let mut response = json(status, body);
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn status_and_type(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::InvalidName(_) | Self::InvalidType(_) => {
                (StatusCode::BAD_REQUEST, "InvalidParameterValueException")
            }
            Self::NotJson(_) | Self::InvalidClientContext => {
                (StatusCode::BAD_REQUEST, "InvalidRequestContentException")
            }
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            Self::NoSuchOperation => (StatusCode::NOT_FOUND, "UnknownOperationException"),
        }
    }

    fn body(self) -> ErrorBody {
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        let reason = (self == Self::Throttled).then_some(reason);
        let message = match self {
            Self::NotFound(arn) => {
                let capital_message = Some(format!("Function not found: {arn}"));
                return ErrorBody { kind: "User", capital_message, message: None, reason };
            }
            Self::InvalidName(name) => format!("Invalid function name: {name}"),
            Self::InvalidType(kind) => format!("Invalid invocation type: {kind}"),
            Self::InvalidClientContext => {
                "Client context must be a valid Base64-encoded JSON object.".to_owned()
            }
            Self::NotJson(why) => format!("Could not parse request body into json: {why}"),
            Self::TooLarge(limit) => {
                format!("Request must be smaller than {limit} bytes for the InvokeFunction operation")
            }
            Self::Throttled => "Rate Exceeded.".to_owned(),
            Self::NoSuchOperation => "No such operation.".to_owned(),
        };
        ErrorBody { kind: "User", capital_message: None, message: Some(message), reason }
    }
}
