//! `Messages`: appends that take the next `seq` exactly once, pages, edits and deletions. A conversation refers to
//! its last message by row, so an edit shows there without a second write.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use shared::id::{ConversationId, MessageId};
use shared::message::{Appended, Draft, Message, SeqRange};
use shared::ports::{Messages, StoreResult};
use shared::time::Time;

use super::rows::{MESSAGE, count, int, message, message_kind_text};
use super::{index_backlog, search};
use crate::Embedded;
use crate::error::{DbResult, corrupt};

#[async_trait]
impl Messages for Embedded {
    async fn append(&self, draft: &Draft) -> StoreResult<Appended> {
        let draft = draft.clone();
        self.store.write(move |db| append(db, &draft)).await
    }

    async fn by_ids(&self, ids: &[MessageId]) -> StoreResult<Vec<Message>> {
        let ids: BTreeSet<MessageId> = ids.iter().cloned().collect();
        self.store
            .read(move |db| {
                let found = ids.iter().map(|id| find(db, "m.id = ?1", [id.as_str()]));
                found.filter_map(Result::transpose).collect()
            })
            .await
    }

    async fn page(
        &self,
        conversation: &ConversationId,
        span: SeqRange,
        limit: u32,
    ) -> StoreResult<Vec<Message>> {
        let conversation = conversation.clone();
        self.store.read(move |db| page(db, &conversation, span, limit)).await
    }

    async fn edit(&self, id: &MessageId, content: &str, at: Time) -> StoreResult<Option<Message>> {
        let (id, content) = (id.clone(), content.to_owned());
        let sql = "UPDATE messages SET content = ?2, edited_at = ?3, revision = revision + 1
                   WHERE id = ?1 AND deleted_at IS NULL RETURNING row";
        self.store
            .write(move |db| {
                let values = params![id.as_str(), content, at.millis()];
                let row = db.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
                let Some(row) = row else { return Ok(None) };
                search::on_edit(db, row, &content)?;
                index_backlog::on_change(db, row, at)?;
                find(db, "m.row = ?1", [row])
            })
            .await
    }

    async fn delete(&self, id: &MessageId, at: Time) -> StoreResult<Option<Message>> {
        let id = id.clone();
        let sql = "UPDATE messages SET content = '', deleted_at = coalesce(deleted_at, ?2),
                   revision = revision + 1 WHERE id = ?1 RETURNING row";
        self.store
            .write(move |db| {
                let values = params![id.as_str(), at.millis()];
                let row = db.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
                let Some(row) = row else { return Ok(None) };
                search::on_delete(db, row)?;
                index_backlog::on_change(db, row, at)?;
                find(db, "m.row = ?1", [row])
            })
            .await
    }
}

fn append(db: &Connection, draft: &Draft) -> DbResult<Appended> {
    if let Some(first) = find_duplicate(db, draft)? {
        return Ok(Appended::Duplicate(first));
    }
    let last = db
        .prepare_cached("SELECT last_seq FROM conversations WHERE id = ?1")?
        .query_row([draft.conversation_id.as_str()], |row| count(row, 0))
        .optional()?
        .ok_or_else(|| {
            corrupt("conversations", format!("conversation {} does not exist", draft.conversation_id))
        })?;
    let message = draft.to_message(last + 1);
    let row = insert(db, &message)?;
    let sql = "UPDATE conversations SET last_seq = ?2, last_message = ?3, updated_at = max(updated_at, ?4)
               WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        message.conversation_id.as_str(),
        int(message.seq),
        row,
        message.created_at.millis()
    ])?;
    search::on_append(db, row)?;
    Ok(Appended::Created(message))
}

/// The stored message with the draft's `clientMessageId` or automatic message id.
fn find_duplicate(db: &Connection, draft: &Draft) -> DbResult<Option<Message>> {
    if let Some(key) = &draft.client_message_id {
        let by_key = "m.sender_id = ?1 AND m.client_message_id = ?2";
        if let Some(first) = find(db, by_key, [draft.sender_id.as_str(), key])? {
            return Ok(Some(first));
        }
    }
    match &draft.auto_message_id {
        Some(key) => find(db, "m.auto_message_id = ?1", [key.as_str()]),
        None => Ok(None),
    }
}

fn insert(db: &Connection, message: &Message) -> DbResult<i64> {
    let sql = "INSERT INTO messages (id, conversation_id, seq, sender_id, content, kind, client_message_id,
                 auto_message_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    Ok(db.prepare_cached(sql)?.insert(params![
        message.id.as_str(),
        message.conversation_id.as_str(),
        int(message.seq),
        message.sender_id.as_str(),
        message.content,
        message_kind_text(message.kind),
        message.client_message_id,
        message.auto_message_id.as_ref().map(|id| id.as_str()),
        message.created_at.millis(),
    ])?)
}

fn find(db: &Connection, condition: &str, values: impl Params) -> DbResult<Option<Message>> {
    let mut select = db.prepare_cached(&format!("SELECT {MESSAGE} FROM messages m WHERE {condition}"))?;
    let mut rows = select.query(values)?;
    rows.next()?.map(|row| message(row, 0)).transpose()
}

fn page(
    db: &Connection,
    conversation: &ConversationId,
    span: SeqRange,
    limit: u32,
) -> DbResult<Vec<Message>> {
    let (bound, order, seq) = match span {
        SeqRange::Latest => ("m.seq < ?2", "DESC", i64::MAX),
        SeqRange::Before(seq) => ("m.seq < ?2", "DESC", int(seq)),
        SeqRange::After(seq) => ("m.seq > ?2", "ASC", int(seq)),
    };
    let mut select = db.prepare_cached(&format!(
        "SELECT {MESSAGE} FROM messages m WHERE m.conversation_id = ?1 AND {bound}
         ORDER BY m.seq {order} LIMIT ?3"
    ))?;
    let mut rows = select.query(params![conversation.as_str(), seq, limit])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(message(row, 0)?);
    }
    if order == "DESC" {
        page.reverse();
    }
    Ok(page)
}
