//! The one answer to a client's event: `{"ok":true,"data":…}` or `{"ok":false,"error":…}`.

use serde_json::{Value, json};

use crate::error::Error;

/// The answer to an event that succeeded.
pub fn success(data: &Value) -> Value {
    json!({ "ok": true, "data": data })
}

/// The answer to an event that failed. It does not contain the error's cause.
pub fn failure(error: &Error) -> Value {
    json!({ "ok": false, "error": error_body(error) })
}

/// An error as socket clients see it: `{code, message, retryable, details?}`.
pub fn error_body(error: &Error) -> Value {
    let mut body =
        json!({ "code": error.code(), "message": error.to_string(), "retryable": error.retryable() });
    if let Error::Invalid(fields) = error {
        body["details"] = json!(fields);
    }
    body
}
