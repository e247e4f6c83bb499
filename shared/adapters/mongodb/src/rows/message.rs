//! A document of `messages`.

use mongodb::bson::DateTime;
use serde::{Deserialize, Serialize};
use shared::id::{AutoMessageId, ConversationId, MessageId, UserId};
use shared::message::{Draft, Message, MessageKind};
use shared::search::vocabulary;

use super::{date, number, time};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageRow {
    #[serde(rename = "_id")]
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    #[serde(default)]
    pub(crate) seq: i64,
    pub(crate) sender_id: UserId,
    content: String,
    kind: MessageKind,
    // Omitted, not null, if there is none: the partial unique indexes contain every document that has the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auto_message_id: Option<AutoMessageId>,
    pub(crate) created_at: DateTime,
    #[serde(default)]
    edited_at: Option<DateTime>,
    #[serde(default)]
    deleted_at: Option<DateTime>,
    /// Folded words for search. Never read back, and absent while the message is pending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    /// 1 when stored, plus 1 for each change; absent while the message is pending.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) revision: i64,
    /// The time from which a sweep may index this revision; absent once the external search index has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unindexed: Option<DateTime>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl MessageRow {
    /// A draft for the `pending` list, still without a `seq`.
    pub(crate) fn pending(draft: &Draft) -> Self {
        Self {
            id: draft.id.clone(),
            conversation_id: draft.conversation_id.clone(),
            seq: 0,
            sender_id: draft.sender_id.clone(),
            content: draft.content.as_str().to_owned(),
            kind: draft.kind,
            client_message_id: draft.client_message_id.clone(),
            auto_message_id: draft.auto_message_id.clone(),
            created_at: date(draft.created_at),
            edited_at: None,
            deleted_at: None,
            words: Vec::new(),
            revision: 0,
            unindexed: None,
        }
    }

    /// Adds the fields that a pending message lacks.
    #[must_use]
    pub(crate) fn into_stored(mut self) -> Self {
        self.words = vocabulary(&self.content);
        self.revision = 1;
        self.unindexed = Some(self.created_at);
        self
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            conversation_id: row.conversation_id,
            seq: number(row.seq),
            sender_id: row.sender_id,
            content: row.content,
            kind: row.kind,
            client_message_id: row.client_message_id,
            auto_message_id: row.auto_message_id,
            created_at: time(row.created_at),
            edited_at: row.edited_at.map(time),
            deleted_at: row.deleted_at.map(time),
        }
    }
}
