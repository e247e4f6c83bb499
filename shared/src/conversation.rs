//! Conversations: direct (one per pair) or group, their members, and how far each member has read.

use serde::{Deserialize, Serialize};

use crate::id::{ConversationId, UserId};
use crate::message::Message;
use crate::time::Time;
use crate::user::PublicUser;

/// The most members of a group.
pub const LARGEST_GROUP: usize = 256;

/// A conversation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// Direct or group.
    pub kind: ConversationKind,
    /// A group's name.
    pub name: Option<String>,
    /// Who takes part, sorted by user id.
    pub members: Vec<Member>,
    /// The highest `seq` given out; 0 when nothing was written yet.
    pub last_seq: u64,
    /// The newest message, if any.
    pub last_message: Option<Message>,
    /// When it was made.
    pub created_at: Time,
    /// The newest message's time, or `created_at`: what lists are sorted by.
    pub updated_at: Time,
}

/// Direct or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// Exactly two people, one conversation per pair.
    Direct,
    /// Two or more, as many conversations as they like.
    Group,
}

/// One who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// Everything up to this `seq` is read.
    pub read_seq: u64,
}

/// The key that makes a direct conversation unique: both ids, sorted.
pub fn pair_key(a: &UserId, b: &UserId) -> String {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    format!("{low}:{high}")
}

impl Conversation {
    /// A new direct conversation of two different people.
    pub fn direct(id: ConversationId, a: &UserId, b: &UserId, now: Time) -> Self {
        Self::of(id, ConversationKind::Direct, None, vec![a.clone(), b.clone()], now)
    }

    /// A new conversation; members are sorted and taken once.
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

    /// The pair's key of a direct conversation.
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

/// A conversation as one member finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberConversation {
    /// The conversation.
    pub conversation: Conversation,
    /// Messages of others after the reader's `read_seq`, deleted ones left out.
    pub unread: u64,
}

/// Where a list of conversations goes on: after this activity, with the id deciding between equals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityCursor {
    /// The last row's `updated_at`.
    pub updated_at: Time,
    /// The last row's id.
    pub id: ConversationId,
}

impl ActivityCursor {
    /// The cursor's text, `millis_id`.
    pub fn text(&self) -> String {
        format!("{}_{}", self.updated_at.millis(), self.id)
    }

    /// Reads it back.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not a cursor of this list".to_owned();
        let (millis, id) = text.split_once('_').ok_or_else(wrong)?;
        let millis = millis.parse().map_err(|_| wrong())?;
        Ok(Self {
            updated_at: Time::from_millis(millis),
            id: ConversationId::parse(id).map_err(|_| wrong())?,
        })
    }
}

/// A conversation as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// Which.
    pub id: ConversationId,
    /// `direct` or `group`.
    #[serde(rename = "type")]
    pub kind: ConversationKind,
    /// A group's name.
    pub name: Option<String>,
    /// Everybody who takes part, the reader included.
    pub participants: Vec<PublicUser>,
    /// The newest message.
    pub last_message: Option<Message>,
    /// What the reader has not read.
    pub unread_count: u64,
    /// The newest activity.
    pub updated_at: Time,
}

impl ConversationView {
    /// Joins a row with its people; people that no longer exist are left out.
    pub fn of(listed: MemberConversation, people: &[PublicUser]) -> Self {
        let MemberConversation { conversation, unread } = listed;
        let find = |id: &UserId| people.iter().find(|p| p.id == *id).cloned();
        Self {
            participants: conversation.members.iter().filter_map(|m| find(&m.user_id)).collect(),
            id: conversation.id,
            kind: conversation.kind,
            name: conversation.name,
            last_message: conversation.last_message,
            unread_count: unread,
            updated_at: conversation.updated_at,
        }
    }
}

/// A group's name: 1–80 characters after trimming, no control characters.
pub fn parse_group_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 80 characters without control characters".to_owned())
    }
}
