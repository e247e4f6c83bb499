//! The one answer to a client's event: `{"ok":true,"data":…}` or `{"ok":false,"error":…}`.

use serde_json::{Value, json};

use crate::error::Error;

/// The envelope of a success.
pub fn accepted(data: &Value) -> Value {
    json!({ "ok": true, "data": data })
}

/// The envelope of a failure. The cause stays inside.
pub fn refused(error: &Error) -> Value {
    json!({ "ok": false, "error": told(error) })
}

/// An error as clients are told: `{code, message, retryable, details?}`.
pub fn told(error: &Error) -> Value {
    let mut told =
        json!({ "code": error.code(), "message": error.to_string(), "retryable": error.retryable() });
    if let Error::Invalid(fields) = error {
        told["details"] = json!(fields);
    }
    told
}
