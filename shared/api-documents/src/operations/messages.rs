//! Messages.

use std::collections::BTreeMap;

use serde_json::json;
use shared::chat::History;
use shared::reply_data::{Hit, HitsData, MessageData, UnreadData};

use super::conversations::read_up_to;
use crate::operation::{Operation, operation};
use crate::{examples, fields, requests};

const TAG: &str = "messages";

pub(crate) fn all() -> Vec<Operation> {
    vec![
        send("POST /api/messages/send").body(requests::send()),
        send("POST /api/messages").alias(2).body(requests::send()),
        send("POST /api/conversations/{id}/messages")
            .alias(3)
            .path_id(fields::path("id", "the conversation"))
            .body(requests::send_to_path()),
        list("GET /api/messages/{conversationId}", "conversationId"),
        list("GET /api/conversations/{id}/messages", "id").alias(2),
        read(),
        edit(),
        delete(),
        unread_count(),
        search(),
    ]
}

fn send(route: &'static str) -> Operation {
    let message = || MessageData { message: examples::message() };
    operation(TAG, route, "message-send", "stores a message once and announces it to all members")
        .description(
            "A repeat of the same clientMessageId by the same sender answers 200 with the first message.",
        )
        .replies(201, message())
        .replies(200, message())
        .fails_with(&["NOT_FOUND", "CONFLICT"])
}

fn list(route: &'static str, parameter: &str) -> Operation {
    let message = examples::message();
    let cursor = |name: &str, description: &str| {
        fields::query(name, description, false, &fields::id("a message of the conversation"))
    };
    operation(TAG, route, "message-list", "returns a page of a conversation's history")
        .description("Without before and after, the newest page. Inside a page the oldest message is first.")
        .path_id(fields::path(parameter, "one of the caller's conversations"))
        .query([
            fields::limit(),
            cursor("before", "Only messages directly before this one; not together with after."),
            cursor("after", "Only messages directly after this one; not together with before."),
        ])
        .replies(
            200,
            History { next_cursor: None, prev_cursor: Some(message.id.clone()), messages: vec![message] },
        )
}

fn read() -> Operation {
    let sentence = "marks everything up to a message as read";
    operation(TAG, "PUT /api/messages/{messageId}/read", "message-read", sentence)
        .path_id(fields::path("messageId", "a message"))
        .replies(200, read_up_to())
}

fn edit() -> Operation {
    let sentence = "replaces the content of one of the caller's own messages";
    operation(TAG, "PATCH /api/messages/{messageId}", "message-edit", sentence)
        .path_id(fields::path("messageId", "one of the caller's messages"))
        .body(requests::edit())
        .replies(200, MessageData { message: examples::edited_message() })
        .fails_with(&["FORBIDDEN"])
}

fn delete() -> Operation {
    let sentence = "deletes one of the caller's own messages: empties its content and keeps its seq";
    operation(TAG, "DELETE /api/messages/{messageId}", "message-delete", sentence)
        .path_id(fields::path("messageId", "one of the caller's messages"))
        .replies(200, MessageData { message: examples::deleted_message() })
        .fails_with(&["FORBIDDEN"])
}

fn unread_count() -> Operation {
    let sentence = "counts the caller's unread messages, in total and by conversation";
    let by_conversation = BTreeMap::from([(examples::conversation_id(), 3)]);
    operation(TAG, "GET /api/messages/unread-count", "message-unread-count", sentence)
        .replies(200, UnreadData { total: 3, by_conversation })
}

fn search() -> Operation {
    let hit = Hit { message: examples::message(), highlight: "<mark>Merhaba</mark>!".to_owned() };
    let conversation = fields::query(
        "conversationId",
        "Only messages of this conversation.",
        false,
        &fields::id("one of the caller's conversations"),
    );
    let cursor = fields::cursor(&json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }));
    operation(
        TAG,
        "GET /api/messages/search",
        "message-search",
        "searches the caller's own conversations by words, newest first",
    )
    .query([fields::search_words(), conversation, fields::limit(), cursor])
    .replies(200, HitsData { hits: vec![hit], next_cursor: None })
    .fails_with(&["NOT_FOUND"])
}
