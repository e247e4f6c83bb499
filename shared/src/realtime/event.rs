//! What a server says to sockets: one typed event, named and shaped once for every dialect and every door.

use serde::Serialize;

use crate::id::{ConversationId, UserId};
use crate::message::Message;
use crate::time::Time;

/// An event for clients. Serialises to its payload alone; the name goes into the frame.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum ServerEvent<'a> {
    /// A message for its receivers, however it was sent.
    MessageReceived {
        /// It.
        message: &'a Message,
    },
    /// A message for the sender's other devices.
    MessageSent {
        /// It.
        message: &'a Message,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Where.
        conversation_id: &'a ConversationId,
        /// Who.
        user_id: &'a UserId,
        /// Types, or stopped.
        is_typing: bool,
    },
    /// Somebody has read up to a place.
    MessageRead {
        /// Where.
        conversation_id: &'a ConversationId,
        /// Who.
        user_id: &'a UserId,
        /// Up to this `seq`.
        up_to_seq: u64,
        /// When.
        read_at: Time,
    },
    /// A message was edited.
    MessageUpdated {
        /// As it is now.
        message: &'a Message,
    },
    /// A message was deleted.
    MessageDeleted {
        /// What is left of it.
        message: &'a Message,
    },
    /// A user's first connection.
    UserOnline {
        /// Who.
        user_id: &'a UserId,
    },
    /// A user's last connection ended.
    UserOffline {
        /// Who.
        user_id: &'a UserId,
        /// When.
        last_seen_at: Time,
    },
    /// The session behind this socket has ended; the close follows.
    SessionEnded {
        /// Why, for a program.
        reason: &'a str,
    },
}

impl ServerEvent<'_> {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MessageReceived { .. } => "message_received",
            Self::MessageSent { .. } => "message_sent",
            Self::Typing { .. } => "typing",
            Self::MessageRead { .. } => "message_read",
            Self::MessageUpdated { .. } => "message_updated",
            Self::MessageDeleted { .. } => "message_deleted",
            Self::UserOnline { .. } => "user_online",
            Self::UserOffline { .. } => "user_offline",
            Self::SessionEnded { .. } => "session_ended",
        }
    }
}
