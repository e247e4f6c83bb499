//! The `data` of the replies and acks that contain more than one value of the types above, or name it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::conversation::ConversationView;
use crate::id::{ConversationId, SessionId, UserId};
use crate::message::Message;
use crate::session::SessionView;
use crate::time::Time;
use crate::user::{OwnUser, PublicUser};

/// The caller.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserData {
    pub user: OwnUser,
}

/// The outcome of a logout.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogoutData {
    /// How many sessions ended.
    pub ended: usize,
}

/// The caller's live sessions.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionsData {
    /// Newest first.
    pub sessions: Vec<SessionView>,
}

/// The account that was deleted.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountDeletedData {
    pub id: UserId,
}

/// The session that ended.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionEndData {
    pub id: SessionId,
}

/// A page of users.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UsersData {
    /// Sorted by username.
    pub users: Vec<ListedUser>,
    /// The next page's `cursor`; null on the last page.
    pub next_cursor: Option<String>,
}

/// A user in a list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedUser {
    #[serde(flatten)]
    pub user: PublicUser,
    /// Whether at least one of the user's connections lives.
    pub online: bool,
}

/// The users who are online.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OnlineUsersData {
    /// The length of `userIds`.
    pub count: usize,
    pub user_ids: Vec<UserId>,
}

/// The number of users who are online.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OnlineCountData {
    pub count: u64,
}

/// The presence of one user.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PresenceData {
    pub user_id: UserId,
    /// Whether at least one of the user's connections lives.
    pub online: bool,
    /// The last login, refresh or disconnect.
    pub last_seen_at: Time,
}

/// One conversation.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationData {
    pub conversation: ConversationView,
}

/// A page of conversations.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConversationsData {
    /// Newest activity first.
    pub conversations: Vec<ConversationView>,
    /// The next page's `cursor`; null on the last page.
    pub next_cursor: Option<String>,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageData {
    pub message: Message,
}

/// The caller's unread messages.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UnreadData {
    /// The sum of all conversations.
    pub total: u64,
    /// By conversation id; conversations without unread messages are left out.
    pub by_conversation: BTreeMap<ConversationId, u64>,
}

/// A page of hits of a search.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HitsData {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// The next page's `cursor`; null on the last page. A page may be short, also an empty one with a next page,
    /// because messages that changed in the meantime are left out.
    pub next_cursor: Option<String>,
}

/// A message that a search found.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hit {
    pub message: Message,
    /// The content as escaped HTML, with `<mark>` around each word that was found.
    pub highlight: String,
}

/// The state of the stores.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthData {
    pub status: HealthStatus,
    /// The names of the stores that are down; absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<Vec<String>>,
    /// Every store by name.
    pub stores: BTreeMap<String, StoreState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Every store answers.
    Ok,
    /// At least one store is down.
    Unavailable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    Up,
    Down,
}

/// The ack of `join_room`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JoinData {
    pub conversation_id: ConversationId,
    /// The ids of all members.
    pub members: Vec<UserId>,
    /// The `seq` of the newest message; 0 without messages.
    pub last_seq: u64,
}

/// The ack of `leave_room`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeaveData {
    pub conversation_id: ConversationId,
}

/// The ack of `typing`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TypingData {
    pub conversation_id: ConversationId,
    pub is_typing: bool,
}

/// The ack of `replay`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReplayData {
    /// How many messages were pushed.
    pub replayed: u64,
    /// The `lastSeq` of the next replay; empty when nothing is left.
    pub more: BTreeMap<ConversationId, u64>,
}
