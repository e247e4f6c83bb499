//! What clients say on a socket: both dialects end in this one typed event.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::Error;
use crate::form::{Form, boolean, text};
use crate::id::{ConversationId, MessageId};
use crate::message::Content;
use crate::message::SendRequest;

/// The most conversations that one replay names.
const MAX_REPLAYED: usize = 1_000;

/// An event of a client, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// `join_room`.
    Join(ConversationId),
    /// `leave_room`.
    Leave(ConversationId),
    /// `send_message`.
    Send(SendRequest),
    /// `typing`, `typing_start`, `typing_stop`.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Types, or stopped.
        is_typing: bool,
    },
    /// `message_read`, `mark_as_read`.
    Read {
        /// Where.
        conversation: ConversationId,
        /// Up to this message.
        message: MessageId,
    },
    /// `edit_message`.
    Edit {
        /// Which.
        message: MessageId,
        /// What it shall say.
        content: Content,
    },
    /// `delete_message`.
    Delete(MessageId),
    /// `online_users`.
    OnlineUsers,
    /// `replay`: what came after these places.
    Replay(LastSeq),
}

/// The last `seq` that a client has seen, by conversation.
pub type LastSeq = BTreeMap<ConversationId, u64>;

impl ClientEvent {
    /// Reads an event by its name and its one payload.
    ///
    /// # Errors
    /// `Invalid` with every wrong field; an unknown name is the field `event`.
    pub fn parse(name: &str, payload: Value) -> Result<Self, Error> {
        match name {
            "join_room" => room(payload).map(Self::Join),
            "leave_room" => room(payload).map(Self::Leave),
            "send_message" => SendRequest::read(Form::json(payload)?, None).map(Self::Send),
            "typing" => typing(payload, None),
            "typing_start" => typing(payload, Some(true)),
            "typing_stop" => typing(payload, Some(false)),
            "message_read" | "mark_as_read" => read(payload),
            "edit_message" => edit(payload),
            "delete_message" => delete(payload),
            "online_users" => Ok(Self::OnlineUsers),
            "replay" => replay(payload),
            _ => Err(Error::field("event", "is not an event of this server")),
        }
    }
}

/// An object, or the bare id.
fn room(payload: Value) -> Result<ConversationId, Error> {
    let payload = if payload.is_string() { json!({ "conversationId": payload }) } else { payload };
    let mut form = Form::json(payload)?;
    let id = form.required("conversationId", text(ConversationId::parse));
    form.finish(|| id)
}

fn typing(payload: Value, says: Option<bool>) -> Result<ClientEvent, Error> {
    let payload = if payload.is_string() { json!({ "conversationId": payload }) } else { payload };
    let mut form = Form::json(payload)?;
    let conversation = form.required("conversationId", text(ConversationId::parse));
    let is_typing = form.optional("isTyping", boolean).or(says).unwrap_or(true);
    form.finish(|| {
        Some(ClientEvent::Typing { conversation: conversation?, is_typing: says.unwrap_or(is_typing) })
    })
}

fn read(payload: Value) -> Result<ClientEvent, Error> {
    let mut form = Form::json(payload)?;
    let conversation = form.required("conversationId", text(ConversationId::parse));
    let message = form.required("messageId", text(MessageId::parse));
    form.finish(|| Some(ClientEvent::Read { conversation: conversation?, message: message? }))
}

fn edit(payload: Value) -> Result<ClientEvent, Error> {
    let mut form = Form::json(payload)?;
    let message = form.required("messageId", text(MessageId::parse));
    let content = form.required("content", text(Content::parse));
    form.finish(|| Some(ClientEvent::Edit { message: message?, content: content? }))
}

fn delete(payload: Value) -> Result<ClientEvent, Error> {
    let mut form = Form::json(payload)?;
    let message = form.required("messageId", text(MessageId::parse));
    form.finish(|| message.map(ClientEvent::Delete))
}

fn replay(payload: Value) -> Result<ClientEvent, Error> {
    let mut form = Form::json(payload)?;
    let last = form.required("lastSeq", parse_last_seq);
    form.finish(|| last.map(ClientEvent::Replay))
}

/// `{conversationId: seq}`.
///
/// # Errors
/// A sentence for the field.
pub fn parse_last_seq(value: &Value) -> Result<LastSeq, String> {
    let wrong =
        || format!("must be an object of at most {MAX_REPLAYED} conversation ids with their last seq");
    let map = value.as_object().filter(|map| map.len() <= MAX_REPLAYED).ok_or_else(wrong)?;
    map.iter()
        .map(|(id, seq)| Some((ConversationId::parse(id).ok()?, seq.as_u64()?)))
        .collect::<Option<LastSeq>>()
        .ok_or_else(wrong)
}

/// As [`parse_last_seq`], but without what cannot be read, and never too many: at CONNECT a refusal would keep a
/// client away for good, for the sake of something that only saves it a request.
pub fn parse_last_seq_leniently(value: &Value) -> LastSeq {
    let map = value.as_object().into_iter().flatten();
    map.filter_map(|(id, seq)| Some((ConversationId::parse(id).ok()?, seq.as_u64()?)))
        .take(MAX_REPLAYED)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::ClientEvent;

    const NAMES: [&str; 12] = [
        "join_room",
        "leave_room",
        "send_message",
        "typing",
        "typing_start",
        "typing_stop",
        "message_read",
        "mark_as_read",
        "edit_message",
        "delete_message",
        "replay",
        "nonsense",
    ];

    #[test]
    fn no_payload_ever_gets_past_unread() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        let hostile = [
            Value::Null,
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!({"conversationId": {"$ne": 1}}),
            deep,
        ];
        for name in NAMES {
            for payload in &hostile {
                assert!(ClientEvent::parse(name, payload.clone()).is_err(), "{name} {payload}");
            }
        }
        assert_eq!(ClientEvent::parse("online_users", Value::Null).unwrap(), ClientEvent::OnlineUsers);
    }

    #[test]
    fn aliases_mean_the_same() {
        let id = json!("01ABC");
        assert_eq!(
            ClientEvent::parse("join_room", id.clone()).unwrap(),
            ClientEvent::parse("join_room", json!({"conversationId": id})).unwrap()
        );
        let typing = |name: &str, payload| ClientEvent::parse(name, payload).unwrap();
        assert_eq!(
            typing("typing_stop", json!({"conversationId": "c"})),
            typing("typing", json!({"conversationId": "c", "isTyping": false}))
        );
    }
}
