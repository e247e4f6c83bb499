//! Conversations: direct (one per pair of users) or group, their members, and how far each member has read.

use serde::{Deserialize, Serialize};

use crate::id::{ConversationId, UserId};
use crate::message::Message;
use crate::time::Time;
use crate::unicode::has_hidden_characters;
use crate::user::PublicUser;

/// The most members of a group.
pub const LARGEST_GROUP: usize = 256;

/// The most characters of a group's name.
pub const LONGEST_GROUP_NAME: usize = 80;

/// A conversation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub kind: ConversationKind,
    /// A group's name; direct conversations have none.
    pub name: Option<String>,
    /// Sorted by user id.
    pub members: Vec<Member>,
    /// The `seq` of the newest message; 0 without messages.
    pub last_seq: u64,
    /// The newest message, deleted or not.
    pub last_message: Option<Message>,
    pub created_at: Time,
    /// The time of the newest message, or else `created_at`; lists are sorted by it.
    pub updated_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// Exactly two users; each pair has at most one.
    Direct,
    /// 2 to [`LARGEST_GROUP`] users; the same users may have several.
    Group,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: UserId,
    /// The user has read every message up to this `seq`.
    pub read_seq: u64,
}

/// The unique key of a direct conversation: both user ids, sorted.
pub fn pair_key(a: &UserId, b: &UserId) -> String {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    format!("{low}:{high}")
}

impl Conversation {
    /// A new direct conversation of two different users.
    pub fn direct(id: ConversationId, a: &UserId, b: &UserId, now: Time) -> Self {
        Self::of(id, ConversationKind::Direct, None, vec![a.clone(), b.clone()], now)
    }

    /// A new conversation; the members are sorted and duplicates removed.
    pub fn of(
        id: ConversationId,
        kind: ConversationKind,
        name: Option<String>,
        mut members: Vec<UserId>,
        now: Time,
    ) -> Self {
        members.sort();
        members.dedup();
        let members = members.into_iter().map(|user_id| Member { user_id, read_seq: 0 }).collect();
        Self { id, kind, name, members, last_seq: 0, last_message: None, created_at: now, updated_at: now }
    }

    /// The unique key of a direct conversation; `None` for a group.
    pub fn pair_key(&self) -> Option<String> {
        match (self.kind, self.members.as_slice()) {
            (ConversationKind::Direct, [a, b]) => Some(pair_key(&a.user_id, &b.user_id)),
            (ConversationKind::Direct | ConversationKind::Group, _) => None,
        }
    }

    /// The members' ids, sorted.
    pub fn member_ids(&self) -> Vec<UserId> {
        self.members.iter().map(|m| m.user_id.clone()).collect()
    }
}

/// The members of a conversation. They never change once it is created, so a cached value is never stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    pub conversation_id: ConversationId,
    /// Sorted.
    pub user_ids: Vec<UserId>,
}

impl From<&Conversation> for Members {
    fn from(conversation: &Conversation) -> Self {
        Self { conversation_id: conversation.id.clone(), user_ids: conversation.member_ids() }
    }
}

/// A conversation and what one of its members has not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberConversation {
    pub conversation: Conversation,
    /// The number of other members' messages after the member's `read_seq`, without deleted ones.
    pub unread: u64,
}

/// The last row of a page of conversations, after which the next page begins. Rows with the same `updated_at` are
/// ordered by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityCursor {
    pub updated_at: Time,
    pub id: ConversationId,
}

impl ActivityCursor {
    /// The cursor as clients get it, `millis_id`.
    pub fn text(&self) -> String {
        format!("{}_{}", self.updated_at.millis(), self.id)
    }

    /// Parses a cursor.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parse = || {
            let (millis, id) = text.split_once('_')?;
            let updated_at = Time::from_millis(millis.parse().ok()?);
            Some(Self { updated_at, id: ConversationId::parse(id).ok()? })
        };
        parse().ok_or_else(|| "must be a nextCursor of this list".to_owned())
    }
}

/// A member of a conversation as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    #[serde(flatten)]
    pub user: PublicUser,
    /// The member has read every message up to this `seq`.
    pub read_up_to_seq: u64,
}

/// A conversation as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    pub id: ConversationId,
    #[serde(rename = "type")]
    pub kind: ConversationKind,
    pub name: Option<String>,
    /// All members, the caller included.
    pub participants: Vec<Participant>,
    pub last_message: Option<Message>,
    /// [`MemberConversation::unread`] of the caller.
    pub unread_count: u64,
    pub updated_at: Time,
}

impl ConversationView {
    /// Combines a conversation with its members' users; members without a user are left out.
    pub fn of(row: MemberConversation, users: &[PublicUser]) -> Self {
        let MemberConversation { conversation, unread } = row;
        let participant = |member: &Member| {
            let user = users.iter().find(|user| user.id == member.user_id)?.clone();
            Some(Participant { user, read_up_to_seq: member.read_seq })
        };
        Self {
            participants: conversation.members.iter().filter_map(participant).collect(),
            id: conversation.id,
            kind: conversation.kind,
            name: conversation.name,
            last_message: conversation.last_message,
            unread_count: unread,
            updated_at: conversation.updated_at,
        }
    }
}

/// Parses a group's name: 1–80 characters after trimming, no invisible characters.
///
/// # Errors
/// The message for the field's error.
pub fn parse_group_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=LONGEST_GROUP_NAME).contains(&text.chars().count()) && !has_hidden_characters(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {LONGEST_GROUP_NAME} characters without invisible ones"))
    }
}
