//! A document of `conversations`, and the same joined with its last message and its reader's unread count. The
//! document stores only the id of its last message, so an edit changes one document.

use mongodb::bson::DateTime;
use serde::{Deserialize, Serialize};
use shared::conversation::{Conversation, ConversationKind, Member, MemberConversation};
use shared::id::{ConversationId, MessageId, UserId};
use shared::message::Message;

use super::{MessageRow, date, long, number, time};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationRow {
    #[serde(rename = "_id")]
    pub(crate) id: ConversationId,
    kind: ConversationKind,
    name: Option<String>,
    // Omitted, not null, if there is none: the partial unique index contains every document that has the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair_key: Option<String>,
    members: Vec<MemberRow>,
    /// The highest `seq` issued to a message.
    #[serde(default)]
    issued_seq: i64,
    /// The `seq` of the last message; every message up to it can be read.
    last_seq: i64,
    pub(crate) last_message_id: Option<MessageId>,
    /// Messages that have a `seq` but may not be stored yet; see `append`.
    #[serde(default)]
    pending: Vec<MessageRow>,
    created_at: DateTime,
    updated_at: DateTime,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberRow {
    user_id: UserId,
    read_seq: i64,
}

impl From<&Conversation> for ConversationRow {
    fn from(new: &Conversation) -> Self {
        let member = |m: &Member| MemberRow { user_id: m.user_id.clone(), read_seq: long(m.read_seq) };
        Self {
            id: new.id.clone(),
            kind: new.kind,
            name: new.name.clone(),
            pair_key: new.pair_key(),
            members: new.members.iter().map(member).collect(),
            issued_seq: long(new.last_seq),
            last_seq: long(new.last_seq),
            last_message_id: new.last_message.as_ref().map(|m| m.id.clone()),
            pending: Vec::new(),
            created_at: date(new.created_at),
            updated_at: date(new.updated_at),
        }
    }
}

impl ConversationRow {
    /// The conversation, with the last message that the row only refers to.
    pub(crate) fn into_conversation(self, last_message: Option<Message>) -> Conversation {
        let member = |m: MemberRow| Member { user_id: m.user_id, read_seq: number(m.read_seq) };
        Conversation {
            id: self.id,
            kind: self.kind,
            name: self.name,
            members: self.members.into_iter().map(member).collect(),
            last_seq: number(self.last_seq),
            last_message,
            created_at: time(self.created_at),
            updated_at: time(self.updated_at),
        }
    }

    /// How far a member has read; `None` for other users.
    pub(crate) fn read_seq_of(&self, user: &UserId) -> Option<u64> {
        self.members.iter().find(|m| m.user_id == *user).map(|m| number(m.read_seq))
    }
}

/// A result row of the list pipeline.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedRow {
    conversation: ConversationRow,
    last_message: Option<MessageRow>,
    unread: i64,
}

impl From<ListedRow> for MemberConversation {
    fn from(row: ListedRow) -> Self {
        let last_message = row.last_message.map(Message::from);
        Self { conversation: row.conversation.into_conversation(last_message), unread: number(row.unread) }
    }
}
