//! Messages: the stored form, what content is acceptable, and a client's request to send one.

mod request;

pub use request::{SendRequest, Target};

use serde::{Deserialize, Serialize};

use crate::id::{AutoMessageId, ConversationId, MessageId, UserId};
use crate::time::Time;

/// The most characters of a message.
pub const LONGEST_CONTENT: usize = 4_000;

/// A message; as stored and, serialised, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// Where.
    pub conversation_id: ConversationId,
    /// The order in its conversation: grows, never repeats, may have gaps.
    pub seq: u64,
    /// Who wrote it.
    pub sender_id: UserId,
    /// As sent; empty once deleted.
    pub content: String,
    /// Written by a person or planned.
    pub kind: MessageKind,
    /// The sender's own key, unique per sender.
    pub client_message_id: Option<String>,
    /// The AutoMessage that this is, unique: a job delivered twice is still one message.
    #[serde(skip)]
    pub auto_message_id: Option<AutoMessageId>,
    /// When it was accepted.
    pub created_at: Time,
    /// The last edit.
    pub edited_at: Option<Time>,
    /// When it was deleted.
    pub deleted_at: Option<Time>,
}

/// Written by a person or planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// A person wrote it.
    Text,
    /// It was planned.
    Auto,
}

/// A message that has no place in its conversation yet; the store gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which.
    pub id: MessageId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who writes.
    pub sender_id: UserId,
    /// What.
    pub content: Content,
    /// Written or planned.
    pub kind: MessageKind,
    /// The sender's own key.
    pub client_message_id: Option<String>,
    /// The AutoMessage that this is.
    pub auto_message_id: Option<AutoMessageId>,
    /// When.
    pub created_at: Time,
}

impl Draft {
    /// The message with its place.
    pub fn to_message(&self, seq: u64) -> Message {
        Message {
            id: self.id.clone(),
            conversation_id: self.conversation_id.clone(),
            seq,
            sender_id: self.sender_id.clone(),
            content: self.content.as_str().to_owned(),
            kind: self.kind,
            client_message_id: self.client_message_id.clone(),
            auto_message_id: self.auto_message_id.clone(),
            created_at: self.created_at,
            edited_at: None,
            deleted_at: None,
        }
    }
}

/// The outcome of appending a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The draft was stored as this message.
    Created(Message),
    /// The draft's key was used before; this is the first message with it, unchanged.
    Duplicate(Message),
}

/// 1–4,000 characters after trimming; control characters but newline and tab are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Parses; the message says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let kept = kept.trim();
        match kept.chars().take(LONGEST_CONTENT + 1).count() {
            0 => Err("must not be empty".to_owned()),
            n if n > LONGEST_CONTENT => Err(format!("must be at most {LONGEST_CONTENT} characters")),
            _ => Ok(Self(kept.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The sender's key: 1–100 characters without control characters.
pub fn parse_client_message_id(text: &str) -> Result<String, String> {
    if (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 100 characters without control characters".to_owned())
    }
}

/// Which part of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeqRange {
    /// The newest.
    Latest,
    /// Those that directly precede this `seq`.
    Before(u64),
    /// Those that directly follow this `seq`.
    After(u64),
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn content_is_counted_in_characters_after_trimming() {
        assert_eq!(Content::parse("  a\u{0}b\n\tc\u{7f} ").unwrap().as_str(), "ab\n\tc");
        assert!(Content::parse(&"ş".repeat(4_000)).is_ok());
        assert!(Content::parse(&"ş".repeat(4_001)).is_err());
        assert!(Content::parse(" \u{1}\n ").is_err());
    }
}
