//! The socket events: those that clients send, with their acks, and those that the server sends.

use serde_json::{Value, json};
use shared::chat::ReadUpTo;
use shared::error::{Error, Unauthenticated};
use shared::realtime::ack::error_body;
use shared::realtime::event::ServerEvent;
use shared::reply_data::{JoinData, LeaveData, MessageData, OnlineUsersData, ReplayData, TypingData};

use crate::examples::{self as example, json_of};
use crate::fields;
use crate::requests::{self, Request};
use crate::schemas::{Schemas, TypeSchema, type_schema};

/// An event that clients send.
pub(crate) struct ClientEvent {
    /// The event's name, then its aliases.
    pub(crate) names: &'static [&'static str],
    pub(crate) summary: &'static str,
    pub(crate) payload: Request,
    /// The schema of the ack's `data`.
    pub(crate) ack: TypeSchema,
    pub(crate) ack_example: Value,
}

fn client<T: schemars::JsonSchema + serde::Serialize>(
    names: &'static [&'static str],
    summary: &'static str,
    payload: Request,
    ack: T,
) -> ClientEvent {
    ClientEvent { names, summary, payload, ack: type_schema::<T>, ack_example: json_of(ack) }
}

/// Every event that clients send.
pub(crate) fn client_events() -> Vec<ClientEvent> {
    let message = |message| MessageData { message };
    let room = example::conversation_id;
    let members = vec![example::user_id(), example::other_user_id()];
    let online = OnlineUsersData { count: 2, user_ids: members.clone() };
    let joined = JoinData { conversation_id: room(), members, last_seq: 7 };
    let typing = TypingData { conversation_id: room(), is_typing: true };
    let read = ReadUpTo { conversation_id: room(), up_to_seq: 7 };
    let replayed = ReplayData { replayed: 1, more: [].into() };
    vec![
        client(&["join_room"], "Joins a conversation's room, to receive typing.", requests::room(), joined),
        client(
            &["leave_room"],
            "Leaves a conversation's room.",
            requests::room(),
            LeaveData { conversation_id: room() },
        ),
        client(
            &["send_message"],
            "Stores a message once and announces it to all members.",
            requests::send(),
            message(example::message()),
        ),
        client(
            &["typing", "typing_start", "typing_stop"],
            "Tells the others in the room whether the user is typing.",
            requests::typing(),
            typing,
        ),
        client(
            &["message_read", "mark_as_read"],
            "Marks everything up to a message as read.",
            requests::read(),
            read,
        ),
        client(
            &["edit_message"],
            "Replaces the content of an own message.",
            requests::edit_event(),
            message(example::edited_message()),
        ),
        client(
            &["delete_message"],
            "Empties an own message.",
            requests::delete_event(),
            message(example::deleted_message()),
        ),
        client(&["online_users"], "Lists the users who are online.", requests::anything(), online),
        client(
            &["replay"],
            "Pushes the messages that follow the given ones, oldest first, as message_received and message_sent.",
            requests::replay(),
            replayed,
        ),
    ]
}

/// An event that the server sends.
pub(crate) struct SentEvent {
    pub(crate) name: String,
    pub(crate) summary: &'static str,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// Every event that the server sends, without acks.
pub(crate) fn server_events(schemas: &mut Schemas, socket_error: &Value) -> Vec<SentEvent> {
    let mut events = chat_events(schemas);
    events.extend(protocol_events(socket_error));
    events
}

/// The events of [`ServerEvent`], each described by its variant.
fn chat_events(schemas: &mut Schemas) -> Vec<SentEvent> {
    let (message, edited, deleted) =
        (example::message(), example::edited_message(), example::deleted_message());
    let (ada, bob, conversation) = (example::user_id(), example::other_user_id(), example::conversation_id());
    let (conversation_id, user_id, now) = (&conversation, &bob, example::NOW);
    let alternatives = schemas.alternatives::<ServerEvent<'static>>();
    let event = |event: &ServerEvent<'_>, summary| {
        let found = alternatives.iter().find(|(title, _)| title == event.name());
        let schema = found.map(|(_, schema)| schema.clone()).unwrap_or_default();
        SentEvent { name: event.name().to_owned(), summary, schema, example: json_of(event) }
    };
    vec![
        event(
            &ServerEvent::MessageReceived { message: &message },
            "To every device of every other member, joined or not.",
        ),
        event(&ServerEvent::MessageSent { message: &message }, "To the sender's other devices."),
        event(
            &ServerEvent::Typing { conversation_id, user_id, is_typing: true },
            "To the members who have joined the room.",
        ),
        event(
            &ServerEvent::MessageRead { conversation_id, user_id, up_to_seq: 7, read_at: now },
            "To the members' devices, except the one that sent the request.",
        ),
        event(
            &ServerEvent::MessageUpdated { message: &edited },
            "To the members' devices, except the one that sent the request.",
        ),
        event(
            &ServerEvent::MessageDeleted { message: &deleted },
            "To the members' devices, except the one that sent the request.",
        ),
        event(&ServerEvent::UserOnline { user_id: &ada }, "To all other connected users."),
        event(
            &ServerEvent::UserOffline { user_id: &ada, last_seen_at: now },
            "To all other connected users.",
        ),
        event(
            &ServerEvent::SessionEnded { reason: "logged_out" },
            "Before the server closes the socket for good.",
        ),
    ]
}

/// The events that no rule of the chat sends.
fn protocol_events(socket_error: &Value) -> Vec<SentEvent> {
    let error = Error::Unauthenticated(Unauthenticated::Revoked);
    vec![
        SentEvent {
            name: "connected".to_owned(),
            summary: "The first event of a connection in the plain JSON dialect.",
            schema: json!({
                "type": "object",
                "required": ["connectionId", "userId"],
                "properties": { "connectionId": { "type": "string" }, "userId": fields::id("the user") },
            }),
            example: json!({ "connectionId": "L0SM9cOFvHcCIhw=", "userId": example::USER_ID }),
        },
        SentEvent {
            name: "ping".to_owned(),
            summary: "Keeps a connection in the plain JSON dialect open; the client may answer with the action pong.",
            schema: json!({ "type": "object", "properties": {} }),
            example: json!({}),
        },
        SentEvent {
            name: "error".to_owned(),
            summary: "An event without an ack id failed.",
            schema: socket_error.clone(),
            example: error_body(&error),
        },
        SentEvent {
            name: "replay_incomplete".to_owned(),
            summary: "The replay of a Socket.IO CONNECT stopped at its limit; the event replay continues it.",
            schema: json!({
                "type": "object",
                "required": ["lastSeq"],
                "properties": { "lastSeq": fields::last_seq() },
            }),
            example: json!({ "lastSeq": { (example::CONVERSATION_ID): 506 } }),
        },
    ]
}
