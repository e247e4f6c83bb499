//! A client's request to send a message, as read from JSON.

use super::{Content, parse_client_message_id};
use crate::error::Error;
use crate::form::{Form, text};
use crate::id::{ConversationId, UserId};

/// `{conversationId or receiverId, content, clientMessageId?}`, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRequest {
    pub target: Target,
    pub content: Content,
    pub client_message_id: Option<String>,
}

/// The conversation of a message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A conversation that exists.
    Conversation(ConversationId),
    /// A user; the direct conversation is created if there is none.
    Receiver(UserId),
}

impl SendRequest {
    /// Reads the fields. A conversation named by the path replaces `conversationId` and `receiverId`.
    ///
    /// # Errors
    /// `Invalid` with every invalid field.
    pub fn read(mut form: Form, path_conversation: Option<ConversationId>) -> Result<Self, Error> {
        let target = match path_conversation {
            Some(id) => read_repeated(&mut form, id),
            None => read_target(&mut form),
        };
        let content = form.required("content", text(Content::parse));
        let client_message_id = form.optional("clientMessageId", text(parse_client_message_id));
        form.finish(|| Some(Self { target: target?, content: content?, client_message_id }))
    }
}

/// The body may repeat the path's conversation, but not name another.
fn read_repeated(form: &mut Form, id: ConversationId) -> Option<Target> {
    let named = form.optional("conversationId", text(ConversationId::parse));
    if named.is_some_and(|named| named != id) {
        form.add_error("conversationId", "must be the conversation of the path, or left out");
    }
    Some(Target::Conversation(id))
}

fn read_target(form: &mut Form) -> Option<Target> {
    let conversation = form.optional("conversationId", text(ConversationId::parse));
    let receiver = form.optional("receiverId", text(UserId::parse));
    match (conversation, receiver) {
        (Some(id), None) => Some(Target::Conversation(id)),
        (None, Some(id)) => Some(Target::Receiver(id)),
        (Some(_), Some(_)) => {
            form.add_error("receiverId", "must be left out when conversationId is given");
            None
        }
        (None, None) => {
            let fields = ["conversationId", "receiverId"];
            form.add_error_unless_any(&fields, "is required, or else receiverId");
            None
        }
    }
}
