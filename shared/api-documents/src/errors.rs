//! The errors that replies and acks name: one real [`Error`] per code, and what a request may fail with.

use serde_json::{Map, Value, json};
use shared::error::{Error, FieldError, RateLimited, StoreFailure, Unauthenticated};
use shared::lambda::http::failure;

use crate::examples::REQUEST_ID;

/// One error of each code.
fn all() -> Vec<Error> {
    let unauthenticated = [
        Unauthenticated::NoToken,
        Unauthenticated::Expired,
        Unauthenticated::Revoked,
        Unauthenticated::Credentials,
    ];
    let other = [
        Error::InvalidJson,
        Error::Forbidden("only the sender may change a message"),
        Error::NotFound("the conversation"),
        Error::Conflict("this username is taken".to_owned()),
        Error::PayloadTooLarge("the body is larger than 64 KiB; send less"),
        Error::UnsupportedMediaType,
        Error::Invalid(vec![FieldError {
            field: "limit".to_owned(),
            message: "is unknown; remove it".to_owned(),
        }]),
        Error::RateLimited(RateLimited { limit: 3_000, retry_after_secs: 17 }),
        Error::Internal("only the log contains the cause".into()),
        Error::Unavailable(StoreFailure { store: "redis", cause: "only the log contains the cause".into() }),
    ];
    unauthenticated.into_iter().map(Error::Unauthenticated).chain(other).collect()
}

/// Every code, in the order of the statuses.
pub(crate) fn codes() -> Vec<&'static str> {
    let mut errors = all();
    errors.sort_by_key(status);
    errors.iter().map(Error::code).collect()
}

fn status(error: &Error) -> u16 {
    failure(error, REQUEST_ID).0
}

/// The codes grouped by the status they are answered with, each with its body.
pub(crate) fn by_status(codes: &[&str]) -> Vec<(u16, Vec<(&'static str, Value)>)> {
    let mut groups: Vec<(u16, Vec<(&'static str, Value)>)> = Vec::new();
    let mut errors: Vec<Error> = all().into_iter().filter(|error| codes.contains(&error.code())).collect();
    errors.sort_by_key(status);
    for error in errors {
        let (status, body) = failure(&error, REQUEST_ID);
        match groups.last_mut() {
            Some((last, group)) if *last == status => group.push((error.code(), body)),
            _ => groups.push((status, vec![(error.code(), body)])),
        }
    }
    groups
}

/// The status and the body while a store is down.
pub(crate) fn outage() -> (u16, Value) {
    failure(&Error::Unavailable(StoreFailure { store: "redis", cause: "for the log".into() }), REQUEST_ID)
}

/// The envelope of every failure.
pub(crate) fn failure_schema(field_error: &Value) -> Value {
    json!({
        "type": "object",
        "description": "The answer to a request that failed.",
        "required": ["success", "message", "error"],
        "properties": {
            "success": { "const": false },
            "message": { "type": "string", "description": "For people: what is wrong." },
            "error": {
                "type": "object",
                "required": ["code", "requestId"],
                "properties": {
                    "code": { "type": "string", "enum": codes(), "description": "For programs." },
                    "requestId": { "type": "string", "description": "The same as the header X-Request-Id." },
                    "details": {
                        "type": "array",
                        "items": field_error,
                        "description": "With VALIDATION_FAILED: every invalid field.",
                    },
                },
            },
        },
    })
}

/// An error as socket clients get it.
pub(crate) fn socket_error_schema(field_error: &Value) -> Value {
    json!({
        "type": "object",
        "description": "Why an event failed.",
        "required": ["code", "message", "retryable"],
        "properties": {
            "code": { "type": "string", "enum": codes(), "description": "For programs." },
            "message": { "type": "string", "description": "For people: what is wrong." },
            "retryable": { "type": "boolean", "description": "Whether the same event may succeed when sent again." },
            "details": { "type": "array", "items": field_error, "description": "With VALIDATION_FAILED: every invalid field." },
        },
    })
}

/// The body of what API Gateway answers itself, without the headers of the functions.
pub(crate) fn gateway_schema() -> Value {
    json!({
        "type": "object",
        "description": "What API Gateway answers itself: an unknown route, a body over 10 MB, a function that ended or timed out.",
        "required": ["message"],
        "properties": { "message": { "type": "string" } },
    })
}

/// The examples of one response.
pub(crate) fn examples(group: &[(&'static str, Value)]) -> Value {
    let named = group.iter().map(|(code, body)| ((*code).to_owned(), json!({ "value": body })));
    Value::Object(named.collect::<Map<String, Value>>())
}
