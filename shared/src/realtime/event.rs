//! The events that the server sends to sockets: one name and one payload for both dialects and all functions.

use serde::Serialize;

use crate::id::{ConversationId, UserId};
use crate::message::Message;
use crate::time::Time;

/// An event for clients. It serialises to its payload alone; the frame carries the name.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum ServerEvent<'a> {
    /// A new message, for members other than its sender.
    #[cfg_attr(feature = "schema", schemars(title = "message_received"))]
    MessageReceived { message: &'a Message },
    /// A new message, for its sender's other devices.
    #[cfg_attr(feature = "schema", schemars(title = "message_sent"))]
    MessageSent { message: &'a Message },
    /// A member starts or stops typing, for the others in the room.
    #[cfg_attr(feature = "schema", schemars(title = "typing"))]
    Typing { conversation_id: &'a ConversationId, user_id: &'a UserId, is_typing: bool },
    /// A member has read every message up to `up_to_seq`, for all members.
    #[cfg_attr(feature = "schema", schemars(title = "message_read"))]
    MessageRead { conversation_id: &'a ConversationId, user_id: &'a UserId, up_to_seq: u64, read_at: Time },
    /// A message was edited, for all members; the message as it is now.
    #[cfg_attr(feature = "schema", schemars(title = "message_updated"))]
    MessageUpdated { message: &'a Message },
    /// A message was deleted, for all members; the emptied message.
    #[cfg_attr(feature = "schema", schemars(title = "message_deleted"))]
    MessageDeleted { message: &'a Message },
    /// A user's first connection was attached, for all other users.
    #[cfg_attr(feature = "schema", schemars(title = "user_online"))]
    UserOnline { user_id: &'a UserId },
    /// A user's last connection ended, for all other users.
    #[cfg_attr(feature = "schema", schemars(title = "user_offline"))]
    UserOffline { user_id: &'a UserId, last_seen_at: Time },
    /// The session behind this socket has ended; the server then closes the socket.
    #[cfg_attr(feature = "schema", schemars(title = "session_ended"))]
    SessionEnded {
        /// A code for programs, such as `logged_out`.
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
