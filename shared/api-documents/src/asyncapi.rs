//! The AsyncAPI document. Its messages are the frames of the plain JSON dialect; Socket.IO has the same names and data.

use serde_json::{Map, Value, json};
use shared::error::{Error, FieldError};
use shared::realtime::ack;

use crate::errors;
use crate::events::{ClientEvent, SentEvent, client_events, server_events};
use crate::examples::json_of;
use crate::schemas::Schemas;

const DESCRIPTION: &str = "\
One WebSocket API in two dialects with the same events; `/api/openapi.json` describes the HTTP API.

The messages here are the frames of the plain JSON dialect, for any WebSocket client: `wss://host/live?token=…`, where \
the token is an access token. A client sends `{\"action\": name, \"id\"?: …, \"data\": …}`. A frame with an id is answered \
with the event `ack`, which repeats the id; without an id only a failure is answered, with the event `error`.

With `socket.io-client` 4 (`{ transports: [\"websocket\"], auth: { token } }`) the event's name is the action's, its only \
argument is `data`, and the ack has one argument, the `data` of the frame `ack`. `auth.lastSeq` replays missed messages.";

/// The document as JSON.
#[must_use]
pub fn asyncapi() -> Value {
    let mut schemas = Schemas::new();
    let field_error = schemas.of::<FieldError>();
    let error = schemas.add("SocketError", errors::socket_error_schema(&field_error));
    let (clients, sent) = (client_events(), server_events(&mut schemas, &error));
    let mut messages = Map::new();
    let mut operations = Map::new();
    for event in &clients {
        add_client_event(event, &error, &mut schemas, &mut messages, &mut operations);
    }
    for event in &sent {
        add_server_event(event, &mut messages, &mut operations);
    }
    let refer = |name: &String| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }));
    let in_channel: Map<String, Value> = messages.keys().map(refer).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ulak",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": { "live": channel(&in_channel) },
        "operations": operations,
        "components": { "schemas": schemas.finish(), "messages": messages },
    })
}

fn servers() -> Value {
    json!({
        "local": { "host": "127.0.0.1:3000", "protocol": "ws", "description": "The local runner." },
        "aws": {
            "host": "{apiId}.execute-api.{region}.amazonaws.com",
            "protocol": "wss",
            "description": "API Gateway.",
            "variables": {
                "apiId": { "description": "The id of the WebSocket API." },
                "region": { "description": "The AWS region." },
            },
        },
    })
}

fn channel(messages: &Map<String, Value>) -> Value {
    let token =
        json!({ "type": "string", "description": "An access token; a rejected one is answered with 401." });
    let query = json!({ "type": "object", "required": ["token"], "properties": { "token": token } });
    json!({
        "address": "/live",
        "description": "The stage of the WebSocket API.",
        "messages": messages,
        "bindings": { "ws": { "method": "GET", "query": query, "bindingVersion": "0.1.0" } },
    })
}

/// The frame of the event under each of its names, and the frame of its ack.
fn add_client_event(
    event: &ClientEvent,
    error: &Value,
    schemas: &mut Schemas,
    messages: &mut Map<String, Value>,
    operations: &mut Map<String, Value>,
) {
    let ack = format!("{}_ack", event.names[0]);
    let ack_schema = ack_frame(&(event.ack)(schemas), error);
    messages.insert(ack.clone(), message(&ack, "The answer.", &ack_schema, ack_examples(event)));
    let payload = schemas.add(&format!("{}_data", event.names[0]), event.payload.schema.clone());
    for name in event.names {
        let frame = json!({
            "type": "object",
            "required": ["action"],
            "properties": { "action": { "const": name }, "id": id_schema(), "data": payload },
            "additionalProperties": false,
        });
        let example = json!({ "action": name, "id": "1", "data": event.payload.example });
        messages.insert((*name).to_owned(), message(name, event.summary, &frame, vec![example]));
        let mut operation = operation("receive", name, event.summary);
        operation["reply"] = json!({
            "channel": { "$ref": "#/channels/live" },
            "messages": [reference(&ack)],
        });
        operations.insert(format!("receive_{name}"), operation);
    }
}

fn add_server_event(
    event: &SentEvent,
    messages: &mut Map<String, Value>,
    operations: &mut Map<String, Value>,
) {
    let frame = json!({
        "type": "object",
        "required": ["event", "data"],
        "properties": { "event": { "const": event.name }, "data": event.schema },
    });
    let example = json!({ "event": event.name, "data": event.example });
    // A client event may have the same name.
    let key = format!("{}_event", event.name);
    messages.insert(key.clone(), message(&event.name, event.summary, &frame, vec![example]));
    operations.insert(format!("send_{}", event.name), operation("send", &key, event.summary));
}

fn id_schema() -> Value {
    json!({ "type": ["string", "number", "null"], "description": "The ack repeats it." })
}

/// Success with the data, or failure.
fn ack_frame(data: &Value, error: &Value) -> Value {
    let answer = |ok: bool, name: &str, schema: &Value| {
        let properties = json!({ "ok": { "const": ok }, name: schema });
        json!({ "type": "object", "required": ["ok", name], "properties": properties })
    };
    json!({
        "type": "object",
        "required": ["event", "id", "data"],
        "properties": {
            "event": { "const": "ack" },
            "id": { "type": ["string", "number"] },
            "data": { "oneOf": [answer(true, "data", data), answer(false, "error", error)] },
        },
    })
}

fn ack_examples(event: &ClientEvent) -> Vec<Value> {
    let frame = |data: Value| json!({ "event": "ack", "id": "1", "data": data });
    let failed = ack::failure(&Error::NotFound("the conversation"));
    vec![frame(ack::success(&event.ack_example)), frame(json_of(failed))]
}

fn message(name: &str, summary: &str, payload: &Value, examples: Vec<Value>) -> Value {
    let examples: Vec<Value> = examples.into_iter().map(|frame| json!({ "payload": frame })).collect();
    json!({ "name": name, "summary": summary, "payload": payload, "examples": examples })
}

fn operation(action: &str, message: &str, summary: &str) -> Value {
    json!({
        "action": action,
        "summary": summary,
        "channel": { "$ref": "#/channels/live" },
        "messages": [reference(message)],
    })
}

fn reference(message: &str) -> Value {
    json!({ "$ref": format!("#/channels/live/messages/{message}") })
}
