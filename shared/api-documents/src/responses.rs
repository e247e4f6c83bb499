//! The response objects of the OpenAPI document.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::reply_data::{HealthData, HealthStatus, StoreState};

use crate::errors;
use crate::examples::json_of;
use crate::schemas::Schemas;

/// A success, with data.
pub(crate) fn data_response(status: u16, data: &Value, example: &Value, message: Option<&str>) -> Value {
    let mut schema = json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": { "success": { "const": true }, "data": data },
    });
    let mut example = json!({ "success": true, "data": example });
    if let Some(message) = message {
        schema["properties"]["message"] = json!({ "type": "string", "description": "For people." });
        example["message"] = message.into();
    }
    json!({
        "description": if status == 201 { "Created." } else { "Done." },
        "headers": headers(&["X-Request-Id"]),
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

/// Adds a media type to the response of a file.
pub(crate) fn add_file(response: &mut Value, media_type: &str, description: &str) {
    let kind = if media_type == "application/json" { "object" } else { "string" };
    response["description"] = description.into();
    response["headers"] = headers(&["X-Request-Id"]);
    response["content"][media_type] = json!({ "schema": { "type": kind } });
}

/// A failure that has data.
pub(crate) fn outage_response(schemas: &mut Schemas) -> Value {
    let stores = BTreeMap::from([("mongodb", StoreState::Up), ("redis", StoreState::Down)]);
    let data = HealthData {
        status: HealthStatus::Unavailable,
        down: Some(vec!["redis".to_owned()]),
        stores: stores.into_iter().map(|(name, state)| (name.to_owned(), state)).collect(),
    };
    let (_, mut body) = errors::outage();
    body["message"] = "A store is down.".into();
    body["data"] = json_of(data);
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Failure" }],
        "properties": { "data": schemas.of::<HealthData>() },
    });
    json!({
        "description": "UNAVAILABLE",
        "headers": headers(&["X-Request-Id"]),
        "content": { "application/json": { "schema": { "anyOf": [schema, { "$ref": "#/components/schemas/GatewayFailure" }] }, "example": body } },
    })
}

/// The failures of one status. What API Gateway answers itself has the gateway's body.
pub(crate) fn failure_response(status: u16, group: &[(&'static str, Value)], has_path: bool) -> Value {
    let codes: Vec<&str> = group.iter().map(|(code, _)| *code).collect();
    let ours = json!({
        "allOf": [{ "$ref": "#/components/schemas/Failure" }],
        "properties": { "error": { "properties": { "code": { "enum": codes } } } },
    });
    let by_gateway = matches!(status, 413 | 500 | 503) || (status == 404 && has_path);
    let gateway = json!({ "$ref": "#/components/schemas/GatewayFailure" });
    let schema = if by_gateway { json!({ "anyOf": [ours, gateway] }) } else { ours };
    let names: &[&str] = match status {
        401 => &["X-Request-Id", "WWW-Authenticate"],
        429 => &["X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"],
        _ if by_gateway => &[],
        _ => &["X-Request-Id"],
    };
    let mut content = json!({ "schema": schema, "examples": errors::examples(group) });
    if let [(_, only)] = group {
        content = json!({ "schema": content["schema"], "example": only });
    }
    json!({
        "description": codes.join(", "),
        "headers": headers(names),
        "content": { "application/json": content },
    })
}

fn headers(names: &[&str]) -> Value {
    let reference =
        |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(reference).collect())
}
