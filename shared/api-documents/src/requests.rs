//! The bodies of requests and the payloads of client events, with an example of each.

use serde_json::{Value, json};

use crate::examples as example;
use crate::fields;
use crate::schemas::{absent, object};

/// A request's schema and an example that is valid against it.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

fn request(schema: Value, example: Value) -> Request {
    Request { schema, example }
}

pub(crate) fn register() -> Request {
    let schema = object(
        &[("username", fields::username()), ("email", fields::email()), ("password", fields::new_password())],
        &[],
    );
    request(schema, json!({ "username": "ada", "email": "ada@example.com", "password": "correct horse" }))
}

/// `email` or `username`; `email` may contain a username too.
pub(crate) fn login() -> Request {
    let names = [
        ("email", fields::login("The e-mail address, or the username.")),
        ("username", fields::login("The username, or the e-mail address.")),
    ];
    let mut schema = object(&[("password", fields::password())], &names);
    let needs = |name: &str| json!({ "required": [name], "properties": { name: { "type": "string" } } });
    schema["anyOf"] = json!([needs("email"), needs("username")]);
    request(schema, json!({ "email": "ada", "password": "correct horse" }))
}

pub(crate) fn refresh() -> Request {
    let schema = object(&[("refreshToken", fields::refresh_token())], &[]);
    request(schema, json!({ "refreshToken": example::REFRESH_TOKEN }))
}

pub(crate) fn logout() -> Request {
    let everywhere = fields::boolean("Whether all sessions of the caller end, instead of this one.");
    request(object(&[], &[("everywhere", everywhere)]), json!({ "everywhere": false }))
}

/// A new e-mail or password needs the current password, which needs one of them.
pub(crate) fn profile() -> Request {
    let names = [("username", fields::username()), ("displayName", fields::display_name())];
    let (email, password) = (("email", fields::email()), ("password", fields::new_password()));
    let current = ("currentPassword", fields::password());
    let with = |required: &[(&str, Value)], optional: &[(&str, Value)]| {
        object(required, &[&names[..], optional].concat())
    };
    let schema = json!({ "oneOf": [
        with(&[], &[("email", absent()), ("password", absent()), ("currentPassword", absent())]),
        with(&[current.clone(), email], std::slice::from_ref(&password)),
        with(&[current, password], &[("email", absent())]),
    ] });
    request(schema, json!({ "displayName": "Ada Lovelace" }))
}

pub(crate) fn delete_account() -> Request {
    let schema = object(&[("currentPassword", fields::password())], &[]);
    request(schema, json!({ "currentPassword": "correct horse" }))
}

/// A direct conversation or a group.
pub(crate) fn conversation() -> Request {
    let direct = object(
        &[("participantId", fields::id("the other user"))],
        &[("participantIds", absent()), ("name", absent())],
    );
    let group = object(
        &[("participantIds", fields::participants()), ("name", fields::group_name())],
        &[("participantId", absent())],
    );
    let schema = json!({ "oneOf": [direct, group] });
    request(schema, json!({ "participantId": example::OTHER_USER_ID }))
}

/// A message to a conversation or to a user.
pub(crate) fn send() -> Request {
    let to = |name: &str, of: &str, other: &str| {
        object(
            &[(name, fields::id(of)), ("content", fields::content())],
            &[("clientMessageId", fields::client_message_id()), (other, absent())],
        )
    };
    let schema = json!({ "oneOf": [
        to("conversationId", "a conversation of the caller", "receiverId"),
        to("receiverId", "another user; their direct conversation is created if there is none", "conversationId"),
    ] });
    let example = json!({
        "conversationId": example::CONVERSATION_ID, "content": "Merhaba!", "clientMessageId": example::CLIENT_MESSAGE_ID,
    });
    request(schema, example)
}

/// A message to the conversation of the path.
pub(crate) fn send_to_path() -> Request {
    let repeated = fields::id("the conversation of the path, if it is given at all");
    let schema = object(
        &[("content", fields::content())],
        &[("clientMessageId", fields::client_message_id()), ("conversationId", repeated)],
    );
    request(schema, json!({ "content": "Merhaba!" }))
}

pub(crate) fn edit() -> Request {
    request(object(&[("content", fields::content())], &[]), json!({ "content": "Merhaba, Bob!" }))
}

/// The id of a conversation, alone or as the only field of an object.
pub(crate) fn room() -> Request {
    let id = fields::id("the conversation");
    let schema = json!({ "anyOf": [object(&[("conversationId", id.clone())], &[]), id] });
    request(schema, json!({ "conversationId": example::CONVERSATION_ID }))
}

/// As [`room`], with `isTyping`.
pub(crate) fn typing() -> Request {
    let id = fields::id("the conversation");
    let is_typing = fields::boolean("True if absent. The names typing_start and typing_stop override it.");
    let fields = object(&[("conversationId", id.clone())], &[("isTyping", is_typing)]);
    let schema = json!({ "anyOf": [fields, id] });
    request(schema, json!({ "conversationId": example::CONVERSATION_ID, "isTyping": true }))
}

pub(crate) fn read() -> Request {
    let schema = object(
        &[("conversationId", fields::id("the conversation")), ("messageId", fields::id("a message in it"))],
        &[],
    );
    request(schema, json!({ "conversationId": example::CONVERSATION_ID, "messageId": example::MESSAGE_ID }))
}

pub(crate) fn edit_event() -> Request {
    let schema = object(
        &[("messageId", fields::id("one of the caller's messages")), ("content", fields::content())],
        &[],
    );
    request(schema, json!({ "messageId": example::MESSAGE_ID, "content": "Merhaba, Bob!" }))
}

pub(crate) fn delete_event() -> Request {
    let schema = object(&[("messageId", fields::id("one of the caller's messages"))], &[]);
    request(schema, json!({ "messageId": example::MESSAGE_ID }))
}

/// Whatever it is, it is ignored.
pub(crate) fn anything() -> Request {
    request(json!({ "description": "It is ignored." }), json!({}))
}

pub(crate) fn replay() -> Request {
    let schema = object(&[("lastSeq", fields::last_seq())], &[]);
    request(schema, json!({ "lastSeq": { (example::CONVERSATION_ID): 6 } }))
}
