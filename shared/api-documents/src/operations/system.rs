//! Health, and the descriptions of the API.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::reply_data::{HealthData, HealthStatus, StoreState};

use crate::operation::{Operation, operation};

const TAG: &str = "system";
const DESCRIPTION: &str = "returns the descriptions of the HTTP API and of the socket events";
const CHAT: &str = "serves the chat page, its scripts and its style sheet";
const DOCS: &str = "returns the page to read and try the API, with its style and its script";

pub(crate) fn all() -> Vec<Operation> {
    vec![health(), openapi(), asyncapi(), page(), page_file(), chat(), chat_file(), chat_view()]
}

fn health() -> Operation {
    let sentence = "checks every store and answers 200, or 503 naming those that are down";
    let stores = BTreeMap::from(["mongodb", "redis"].map(|name| (name.to_owned(), StoreState::Up)));
    operation(TAG, "GET /api/health", "health", sentence)
        .public()
        .replies(200, HealthData { status: HealthStatus::Ok, down: None, stores })
        .reports_outages()
}

fn openapi() -> Operation {
    operation(TAG, "GET /api/openapi.json", "api-description", DESCRIPTION)
        .constant()
        .description("The HTTP API as OpenAPI 3.1: this document.")
        .file("application/json", "The document.")
}

fn asyncapi() -> Operation {
    operation(TAG, "GET /api/asyncapi.json", "api-description", DESCRIPTION)
        .alias(2)
        .constant()
        .description("The socket events as AsyncAPI 3.")
        .file("application/json", "The document.")
}

fn page() -> Operation {
    operation(TAG, "GET /api/docs", "api-docs", DOCS).constant().file("text/html", "The page.")
}

fn page_file() -> Operation {
    let schema = json!({ "type": "string", "enum": ["page.js", "page.css"] });
    let file = json!({ "name": "file", "in": "path", "required": true, "description": "The file's name.", "schema": schema });
    operation(TAG, "GET /api/docs/{file}", "api-docs", DOCS)
        .alias(2)
        .constant()
        .parameter(file)
        .file("text/javascript", "The file.")
        .file("text/css", "The file.")
        .fails_with(&["NOT_FOUND"])
}

fn chat() -> Operation {
    operation(TAG, "GET /", "chat-page", CHAT).constant().file("text/html", "The page.")
}

fn chat_file() -> Operation {
    operation(TAG, "GET /app/{file}", "chat-page", CHAT)
        .alias(2)
        .constant()
        .parameter(chat_file_name())
        .file("text/javascript", "The file.")
        .file("text/css", "The file.")
        .file("image/svg+xml", "The file.")
        .file("application/json", "Where the page finds the WebSocket API.")
        .fails_with(&["NOT_FOUND"])
}

fn chat_view() -> Operation {
    operation(TAG, "GET /app/views/{file}", "chat-page", CHAT)
        .alias(3)
        .constant()
        .parameter(chat_file_name())
        .file("text/javascript", "The file.")
        .fails_with(&["NOT_FOUND"])
}

fn chat_file_name() -> Value {
    let schema = json!({ "type": "string", "pattern": "^[a-z]+[.](js|css|svg|json)$" });
    json!({ "name": "file", "in": "path", "required": true, "description": "The file's name.", "schema": schema })
}
