//! The events that clients send: both dialects are parsed to this one type.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::Error;
use crate::form::{Form, boolean, text};
use crate::id::{ConversationId, MessageId};
use crate::message::Content;
use crate::message::SendRequest;

/// The most conversations of one replay.
pub const MAX_REPLAYED: usize = 1_000;

/// An event from a client, parsed and validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// `join_room`.
    Join(ConversationId),
    /// `leave_room`.
    Leave(ConversationId),
    /// `send_message`.
    Send(SendRequest),
    /// `typing`, `typing_start`, `typing_stop`.
    Typing { conversation: ConversationId, is_typing: bool },
    /// `message_read`, `mark_as_read`: everything up to this message.
    Read { conversation: ConversationId, message: MessageId },
    /// `edit_message`.
    Edit { message: MessageId, content: Content },
    /// `delete_message`.
    Delete(MessageId),
    /// `online_users`.
    OnlineUsers,
    /// `replay`: the messages that follow these.
    Replay(LastSeq),
}

/// The last `seq` that a client has received of each conversation.
pub type LastSeq = BTreeMap<ConversationId, u64>;

impl ClientEvent {
    /// Parses an event's payload by the event's name.
    ///
    /// # Errors
    /// `Invalid` with every invalid field; an unknown name is the field `event`.
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
            _ => Err(Error::field("event", "is not a known event name")),
        }
    }
}

/// A form of the payload. A string is short for an object with only `conversationId`.
fn conversation_form(payload: Value) -> Result<Form, Error> {
    Form::json(if payload.is_string() { json!({ "conversationId": payload }) } else { payload })
}

fn room(payload: Value) -> Result<ConversationId, Error> {
    let mut form = conversation_form(payload)?;
    let id = form.required("conversationId", text(ConversationId::parse));
    form.finish(|| id)
}

/// `by_name` is what the event's name says about `isTyping`; it overrides the field.
fn typing(payload: Value, by_name: Option<bool>) -> Result<ClientEvent, Error> {
    let mut form = conversation_form(payload)?;
    let conversation = form.required("conversationId", text(ConversationId::parse));
    let by_field = form.optional("isTyping", boolean);
    let is_typing = by_name.or(by_field).unwrap_or(true);
    form.finish(|| Some(ClientEvent::Typing { conversation: conversation?, is_typing }))
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

/// Parses `{conversationId: seq}`.
///
/// # Errors
/// The message for the field's error.
pub fn parse_last_seq(value: &Value) -> Result<LastSeq, String> {
    let invalid =
        || format!("must be an object of at most {MAX_REPLAYED} conversation ids with their last seq");
    let map = value.as_object().filter(|map| map.len() <= MAX_REPLAYED).ok_or_else(invalid)?;
    map.iter()
        .map(|(id, seq)| Some((ConversationId::parse(id).ok()?, seq.as_u64()?)))
        .collect::<Option<LastSeq>>()
        .ok_or_else(invalid)
}

/// As [`parse_last_seq`], but skips invalid entries and those beyond the maximum. CONNECT uses it: an error there
/// would make every reconnect of the client fail, although the client can still ask for a replay afterwards.
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
    fn parse_rejects_hostile_payloads_of_every_event() {
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
    fn aliases_and_short_forms_parse_to_the_same_event() {
        let id = json!("01ABC");
        assert_eq!(
            ClientEvent::parse("join_room", id.clone()).unwrap(),
            ClientEvent::parse("join_room", json!({"conversationId": id})).unwrap()
        );
        let parse = |name: &str, payload| ClientEvent::parse(name, payload).unwrap();
        assert_eq!(
            parse("typing_stop", json!({"conversationId": "c"})),
            parse("typing", json!({"conversationId": "c", "isTyping": false}))
        );
    }
}
