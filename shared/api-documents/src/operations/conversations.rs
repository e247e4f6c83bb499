//! Conversations.

use shared::chat::ReadUpTo;
use shared::reply_data::{ConversationData, ConversationsData};

use crate::operation::{Operation, operation};
use crate::{examples, fields, requests};

const TAG: &str = "conversations";

pub(crate) fn all() -> Vec<Operation> {
    vec![create(), list(), get(), read()]
}

fn conversation() -> ConversationData {
    ConversationData { conversation: examples::conversation() }
}

/// What marking as read answers.
pub(super) fn read_up_to() -> ReadUpTo {
    ReadUpTo { conversation_id: examples::conversation_id(), up_to_seq: 7 }
}

fn create() -> Operation {
    let sentence = "creates the direct conversation with another user, or a group";
    operation(TAG, "POST /api/conversations", "conversation-create", sentence)
        .description("A direct conversation that exists is answered with 200.")
        .body(requests::conversation())
        .replies(201, conversation())
        .replies(200, conversation())
}

fn list() -> Operation {
    let sentence = "lists the caller's conversations, newest activity first";
    let conversations = vec![examples::conversation()];
    operation(TAG, "GET /api/conversations", "conversation-list", sentence)
        .query([fields::limit(), fields::activity_cursor()])
        .replies(200, ConversationsData { conversations, next_cursor: None })
}

fn get() -> Operation {
    let sentence = "returns one of the caller's conversations";
    operation(TAG, "GET /api/conversations/{id}", "conversation-get", sentence)
        .path_id(fields::path("id", "one of the caller's conversations"))
        .replies(200, conversation())
}

fn read() -> Operation {
    let sentence = "marks everything in a conversation as read";
    operation(TAG, "PUT /api/conversations/{id}/read", "conversation-read", sentence)
        .path_id(fields::path("id", "one of the caller's conversations"))
        .replies(200, read_up_to())
}
