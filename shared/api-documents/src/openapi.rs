//! The OpenAPI document.

use serde_json::{Value, json};
use shared::error::FieldError;

use crate::operations::{TAGS, all};
use crate::schemas::Schemas;
use crate::{errors, operation::Operation};

const DESCRIPTION: &str = "\
Accounts, conversations and messages over HTTP; the socket events are described by `/api/asyncapi.json`.

Success is answered with `{\"success\": true, \"data\": …}`, failure with \
`{\"success\": false, \"message\": …, \"error\": {\"code\", \"requestId\", \"details\"?}}`. Ids are opaque strings that \
sort by creation time. Times are RFC 3339 in UTC with milliseconds. Unknown fields of a request are refused; replies may \
get new fields, so ignore those that you do not know. In a body, null is the same as an absent field.

An access token comes from `POST /api/auth/register` or `POST /api/auth/login` and is sent as `Authorization: Bearer …`. \
Requests are limited per user, or per address without a valid token; a refused request says when to try again.";

/// The document as JSON.
#[must_use]
pub fn openapi() -> Value {
    let mut schemas = Schemas::new();
    let field_error = schemas.of::<FieldError>();
    schemas.add("Failure", errors::failure_schema(&field_error));
    schemas.add("GatewayFailure", errors::gateway_schema());
    let paths = paths(&all(), &mut schemas);
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ulak",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The host that serves this document." }],
        "tags": tags,
        "security": [{ "accessToken": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "accessToken": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "headers": headers(),
            "responses": schemas.responses(),
            "schemas": schemas.finish(),
        },
    })
}

fn paths(operations: &[Operation], schemas: &mut Schemas) -> Value {
    let mut paths = json!({});
    for operation in operations {
        paths[operation.path][operation.method.to_lowercase()] = operation.render(schemas);
    }
    paths
}

fn headers() -> Value {
    let number = |description: &str| json!({ "required": true, "description": description, "schema": { "type": "integer", "minimum": 0 } });
    let text = |description: &str, schema: Value| json!({ "required": true, "description": description, "schema": schema });
    json!({
        "X-Request-Id": text("The request's id in the logs; error.requestId is the same.", json!({ "type": "string" })),
        "WWW-Authenticate": text("The scheme of the token.", json!({ "const": "Bearer" })),
        "Retry-After": number("Seconds until the request may be sent again."),
        "RateLimit-Limit": number("How many requests each window allows."),
        "RateLimit-Remaining": number("How many are left in this window."),
        "RateLimit-Reset": number("Seconds until the next window."),
    })
}
