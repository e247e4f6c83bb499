//! The errors that the gateway itself answers, in the words of each service (API Gateway guide,
//! `supported-gateway-response-types`; Lambda guide, `urls-invocation`).

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};

use crate::authorizer::Refusal;
use crate::endpoint::{Response, json, message};
use crate::plan::HttpApiKind;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why a request got no reply of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No route matches.
    NoRoute,
    /// The function failed, or its reply is not valid.
    Function,
    /// The function runs as often as it may.
    Throttled,
    /// The route's timeout passed.
    TimedOut,
}

/// The response to a failure.
pub(super) fn response(kind: HttpApiKind, failure: Failure) -> Response {
    use HttpApiKind::{FunctionUrl, Http, Rest};
    let (status, text) = match (kind, failure) {
        (Rest, Failure::NoRoute) => (StatusCode::FORBIDDEN, "Missing Authentication Token"),
        (_, Failure::NoRoute) => (StatusCode::NOT_FOUND, "Not Found"),
        (Http, Failure::Function) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        (Rest, Failure::Function | Failure::Throttled) => (StatusCode::BAD_GATEWAY, "Internal server error"),
        (FunctionUrl, Failure::Function) => (StatusCode::BAD_GATEWAY, "Internal Server Error"),
        (FunctionUrl, Failure::Throttled) => (StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded."),
        (Rest, Failure::TimedOut) => (StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
        (FunctionUrl, Failure::TimedOut) => (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
        (Http, Failure::Throttled | Failure::TimedOut) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
    };
    let mut response = message(status, text);
    if (kind, failure) == (Rest, Failure::NoRoute) {
        let name = HeaderValue::from_static("MissingAuthenticationTokenException");
        response.headers_mut().insert(ERROR_TYPE, name);
    }
    response
}

/// The response to a request that an authorizer refuses.
pub(super) fn refusal(kind: HttpApiKind, refusal: &Refusal) -> Response {
    match (kind, refusal) {
        (_, Refusal::Unauthorized(scheme)) => {
            let mut response = message(StatusCode::UNAUTHORIZED, "Unauthorized");
            let scheme = scheme.as_ref().and_then(|scheme| HeaderValue::from_str(scheme).ok());
            response.headers_mut().extend(scheme.map(|scheme| (WWW_AUTHENTICATE, scheme)));
            response
        }
        (HttpApiKind::Rest, Refusal::Forbidden) => {
            let body = r#"{"Message":"User is not authorized to access this resource"}"#;
            json(StatusCode::FORBIDDEN, body)
        }
        (_, Refusal::Forbidden) => message(StatusCode::FORBIDDEN, "Forbidden"),
        (HttpApiKind::Rest, Refusal::Failed) => {
            json(StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":null}"#)
        }
        (_, Refusal::Failed) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}
