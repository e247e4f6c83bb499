//! Conversions between SQLite's values and the domain's types.

use rusqlite::Row;
use shared::conversation::ConversationKind;
use shared::id::{AutoMessageId, ConversationId, MessageId, UserId};
use shared::message::{Message, MessageKind};
use shared::time::Time;

use crate::error::{DbResult, corrupt};

/// A counter as SQLite stores it: SQLite has no unsigned numbers.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0))
}

pub(crate) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Time> {
    row.get(index).map(Time::from_millis)
}

pub(crate) fn optional_time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Time::from_millis))
}

/// The columns that [`message`] reads, from `messages m`.
pub(super) const MESSAGE: &str = "m.id, m.conversation_id, m.seq, m.sender_id, m.content, m.kind, \
     m.client_message_id, m.auto_message_id, m.created_at, m.edited_at, m.deleted_at";

/// Reads [`MESSAGE`], which starts at column `at`.
pub(super) fn message(row: &Row<'_>, at: usize) -> DbResult<Message> {
    Ok(Message {
        id: MessageId::trusted(row.get::<_, String>(at)?),
        conversation_id: ConversationId::trusted(row.get::<_, String>(at + 1)?),
        seq: count(row, at + 2)?,
        sender_id: UserId::trusted(row.get::<_, String>(at + 3)?),
        content: row.get(at + 4)?,
        kind: message_kind(&row.get::<_, String>(at + 5)?)?,
        client_message_id: row.get(at + 6)?,
        auto_message_id: row.get::<_, Option<String>>(at + 7)?.map(AutoMessageId::trusted),
        created_at: time(row, at + 8)?,
        edited_at: optional_time(row, at + 9)?,
        deleted_at: optional_time(row, at + 10)?,
    })
}

fn message_kind(text: &str) -> DbResult<MessageKind> {
    match text {
        "text" => Ok(MessageKind::Text),
        "auto" => Ok(MessageKind::Auto),
        other => Err(corrupt("messages", format!("unknown kind {other}"))),
    }
}

pub(super) fn message_kind_text(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Auto => "auto",
    }
}

pub(super) fn conversation_kind(text: &str) -> DbResult<ConversationKind> {
    match text {
        "direct" => Ok(ConversationKind::Direct),
        "group" => Ok(ConversationKind::Group),
        other => Err(corrupt("conversations", format!("unknown kind {other}"))),
    }
}

pub(super) fn conversation_kind_text(kind: ConversationKind) -> &'static str {
    match kind {
        ConversationKind::Direct => "direct",
        ConversationKind::Group => "group",
    }
}
