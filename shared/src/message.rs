//! Messages: the stored form, the rules for content, and a client's request to send one.

mod request;

pub use request::{SendRequest, Target};

use serde::{Deserialize, Serialize};

use crate::id::{AutoMessageId, ConversationId, MessageId, UserId};
use crate::time::Time;

/// The most characters of a message's content.
pub const LONGEST_CONTENT: usize = 4_000;

/// The most characters of a `clientMessageId`.
pub const LONGEST_CLIENT_MESSAGE_ID: usize = 100;

/// A message as stored and, serialised, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    /// Orders the messages of a conversation: grows, never repeats, may have gaps; from 1.
    pub seq: u64,
    pub sender_id: UserId,
    /// Empty once deleted.
    pub content: String,
    pub kind: MessageKind,
    /// The sender's own key for this send; unique per sender.
    pub client_message_id: Option<String>,
    /// The automatic message that this was made from; unique, so that a job delivered twice makes one message.
    #[serde(skip)]
    pub auto_message_id: Option<AutoMessageId>,
    pub created_at: Time,
    /// The last edit.
    pub edited_at: Option<Time>,
    pub deleted_at: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Sent by a user.
    Text,
    /// Sent by the consumer of automatic messages.
    Auto,
}

/// A message to be stored; the store gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub sender_id: UserId,
    pub content: Content,
    pub kind: MessageKind,
    /// See [`Message::client_message_id`].
    pub client_message_id: Option<String>,
    /// See [`Message::auto_message_id`].
    pub auto_message_id: Option<AutoMessageId>,
    pub created_at: Time,
}

impl Draft {
    /// The draft as a message with this `seq`.
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

/// The content of a message: 1 to [`LONGEST_CONTENT`] characters after trimming. Control characters are removed,
/// except newline and tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Cleans and checks a text.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let cleaned: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let trimmed = cleaned.trim();
        match trimmed.chars().take(LONGEST_CONTENT + 1).count() {
            0 => Err("must not be empty".to_owned()),
            n if n > LONGEST_CONTENT => Err(format!("must be at most {LONGEST_CONTENT} characters")),
            _ => Ok(Self(trimmed.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses a `clientMessageId`: 1–100 characters without control characters.
///
/// # Errors
/// The message for the field's error.
pub fn parse_client_message_id(text: &str) -> Result<String, String> {
    if (1..=LONGEST_CLIENT_MESSAGE_ID).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {LONGEST_CLIENT_MESSAGE_ID} characters without control characters"))
    }
}

/// A range of a conversation's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeqRange {
    /// The newest messages.
    Latest,
    /// The messages directly before this `seq`.
    Before(u64),
    /// The messages directly after this `seq`.
    After(u64),
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn content_length_is_counted_in_characters_after_cleaning_and_trimming() {
        assert_eq!(Content::parse("  a\u{0}b\n\tc\u{7f} ").unwrap().as_str(), "ab\n\tc");
        assert!(Content::parse(&"ş".repeat(4_000)).is_ok());
        assert!(Content::parse(&"ş".repeat(4_001)).is_err());
        assert!(Content::parse(" \u{1}\n ").is_err());
    }
}
