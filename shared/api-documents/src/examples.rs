//! The values of the examples: the same two users, one conversation and one message everywhere.

use serde_json::Value;
use shared::conversation::{Conversation, ConversationView, MemberConversation};
use shared::id::{ConversationId, MessageId, SessionId, UserId};
use shared::message::{Message, MessageKind};
use shared::session::SessionView;
use shared::time::Time;
use shared::user::{OwnUser, PublicUser, Username};

pub(crate) const USER_ID: &str = "01HF7YAT00ADA0000000000000";
pub(crate) const OTHER_USER_ID: &str = "01HF7YAT00BOB0000000000000";
pub(crate) const CONVERSATION_ID: &str = "01HF7YAT00CONVERSATION0000";
pub(crate) const MESSAGE_ID: &str = "01HF7YAT00MESSAGE000000000";
pub(crate) const SESSION_ID: &str = "01HF7YAT00SESSION000000000";
pub(crate) const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";
pub(crate) const CLIENT_MESSAGE_ID: &str = "7f0c1a52-6d1e-4b5a-9f43-2f6c7d0e9b11";
pub(crate) const REFRESH_TOKEN: &str = "01HF7YAT00SESSION000000000.an-opaque-secret-of-the-server";
pub(crate) const ACCESS_TOKEN: &str = "header.claims.signature";

/// 2026-12-01T09:30:00.120Z.
pub(crate) const NOW: Time = Time::from_millis(1_796_117_400_120);

pub(crate) fn user_id() -> UserId {
    UserId::trusted(USER_ID)
}

pub(crate) fn other_user_id() -> UserId {
    UserId::trusted(OTHER_USER_ID)
}

pub(crate) fn conversation_id() -> ConversationId {
    ConversationId::trusted(CONVERSATION_ID)
}

fn public_user(id: UserId, username: &str, display_name: &str) -> PublicUser {
    let username = Username::trusted(username);
    PublicUser { id, username, display_name: display_name.to_owned(), created_at: NOW, last_seen_at: NOW }
}

pub(crate) fn own_user() -> OwnUser {
    let public = public_user(user_id(), "ada", "Ada Lovelace");
    OwnUser { public, email: "ada@example.com".to_owned() }
}

pub(crate) fn other_user() -> PublicUser {
    public_user(other_user_id(), "bob", "Bob")
}

pub(crate) fn session() -> SessionView {
    let device = "Mozilla/5.0".to_owned();
    let id = SessionId::trusted(SESSION_ID);
    SessionView { id, device, created_at: NOW, last_seen_at: NOW, current: true }
}

pub(crate) fn message() -> Message {
    Message {
        id: MessageId::trusted(MESSAGE_ID),
        conversation_id: conversation_id(),
        seq: 7,
        sender_id: user_id(),
        content: "Merhaba!".to_owned(),
        kind: MessageKind::Text,
        client_message_id: Some(CLIENT_MESSAGE_ID.to_owned()),
        auto_message_id: None,
        created_at: NOW,
        edited_at: None,
        deleted_at: None,
    }
}

pub(crate) fn edited_message() -> Message {
    Message { content: "Merhaba, Bob!".to_owned(), edited_at: Some(NOW), ..message() }
}

pub(crate) fn deleted_message() -> Message {
    Message { content: String::new(), deleted_at: Some(NOW), ..message() }
}

pub(crate) fn conversation() -> ConversationView {
    let mut conversation = Conversation::direct(conversation_id(), &user_id(), &other_user_id(), NOW);
    conversation.last_message = Some(message());
    conversation.last_seq = message().seq;
    ConversationView::of(MemberConversation { conversation, unread: 0 }, &[own_user().public, other_user()])
}

/// A value as JSON. The types of replies serialise without failing; null would not fit any schema.
pub(crate) fn json_of(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
