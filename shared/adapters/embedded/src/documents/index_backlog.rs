//! `IndexBacklog`: every message after the mark `swept` waits to be indexed; of the messages up to the mark, those
//! with a row in `unindexed` wait. So a store without an external index writes nothing extra, and a sweep reads
//! only messages that wait.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use shared::id::{MessageId, UserId};
use shared::ports::{IndexBacklog, SearchDocument, StoreResult};
use shared::time::Time;

use super::rows::{MESSAGE, count, int, message};
use crate::Embedded;
use crate::error::DbResult;

#[async_trait]
impl IndexBacklog for Embedded {
    async fn waiting(&self, now: Time, limit: u32) -> StoreResult<Vec<MessageId>> {
        self.store.read(move |db| waiting(db, now, limit)).await
    }

    async fn hide_until(&self, ids: &[MessageId], now: Time, until: Time) -> StoreResult<()> {
        let ids = ids.to_vec();
        let sql = "UPDATE unindexed SET waits_from = ?2 WHERE row = ?1 AND waits_from <= ?3";
        self.store
            .write(move |db| {
                for row in move_mark_past(db, &ids)? {
                    db.prepare_cached(sql)?.execute(params![row, until.millis(), now.millis()])?;
                }
                Ok(())
            })
            .await
    }

    async fn documents(&self, ids: &[MessageId]) -> StoreResult<Vec<SearchDocument>> {
        let ids: BTreeSet<MessageId> = ids.iter().cloned().collect();
        self.store.read(move |db| ids.iter().filter_map(|id| document(db, id).transpose()).collect()).await
    }

    async fn mark_indexed(&self, done: &[(MessageId, u64)]) -> StoreResult<()> {
        let (ids, revisions): (Vec<MessageId>, Vec<u64>) = done.iter().cloned().unzip();
        let sql =
            "DELETE FROM unindexed WHERE row = (SELECT row FROM messages WHERE id = ?1 AND revision = ?2)";
        self.store
            .write(move |db| {
                move_mark_past(db, &ids)?;
                for (id, revision) in ids.iter().zip(revisions) {
                    db.prepare_cached(sql)?.execute(params![id.as_str(), int(revision)])?;
                }
                Ok(())
            })
            .await
    }

    async fn all(&self, after: Option<&MessageId>, limit: u32) -> StoreResult<Vec<MessageId>> {
        let after = after.map_or(String::new(), MessageId::to_string);
        let sql = "SELECT id FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.store.read(move |db| ids(db, sql, params![after, limit])).await
    }

    async fn total(&self) -> StoreResult<u64> {
        let sql = "SELECT coalesce(max(row), 0) FROM messages";
        self.store.read(move |db| Ok(db.prepare_cached(sql)?.query_row([], |row| count(row, 0))?)).await
    }
}

fn waiting(db: &Connection, now: Time, limit: u32) -> DbResult<Vec<MessageId>> {
    let up_to_mark = "SELECT m.id FROM unindexed u JOIN messages m ON m.row = u.row WHERE u.waits_from <= ?1
                  ORDER BY u.waits_from, u.row LIMIT ?2";
    let mut found = ids(db, up_to_mark, params![now.millis(), limit])?;
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(limit));
    let after_mark = "SELECT id FROM messages WHERE row > (SELECT row FROM swept) AND created_at <= ?1
                 ORDER BY row LIMIT ?2";
    found.extend(ids(db, after_mark, params![now.millis(), left])?);
    Ok(found)
}

/// Moves the mark past these messages and returns their rows. Every message that the mark passes gets a row in
/// `unindexed`, due from its last change on.
fn move_mark_past(db: &Connection, ids: &[MessageId]) -> DbResult<Vec<i64>> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let mut select = db.prepare_cached("SELECT row FROM messages WHERE id = ?1")?;
        rows.extend(select.query_row([id.as_str()], |row| row.get::<_, i64>(0)).optional()?);
    }
    if let Some(last) = rows.iter().max() {
        let insert = "INSERT OR IGNORE INTO unindexed (row, waits_from)
                      SELECT row, max(created_at, coalesce(edited_at, 0), coalesce(deleted_at, 0))
                      FROM messages WHERE row > (SELECT row FROM swept) AND row <= ?1";
        db.prepare_cached(insert)?.execute([last])?;
        db.prepare_cached("UPDATE swept SET row = max(row, ?1)")?.execute([last])?;
    }
    Ok(rows)
}

/// Called when a message is edited or deleted. A message after the mark needs no row: it waits anyway.
pub(super) fn on_change(db: &Connection, row: i64, at: Time) -> DbResult<()> {
    let sql = "INSERT INTO unindexed (row, waits_from) SELECT ?1, ?2 WHERE ?1 <= (SELECT row FROM swept)
               ON CONFLICT (row) DO UPDATE SET waits_from = excluded.waits_from";
    db.prepare_cached(sql)?.execute(params![row, at.millis()])?;
    Ok(())
}

fn document(db: &Connection, id: &MessageId) -> DbResult<Option<SearchDocument>> {
    let sql = format!("SELECT {MESSAGE}, m.revision FROM messages m WHERE m.id = ?1");
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (message, revision) = (message(row, 0)?, count(row, MESSAGE.split(',').count())?);
    let sql = "SELECT user_id FROM members WHERE conversation_id = ?1";
    let mut select = db.prepare_cached(sql)?;
    let members = select.query_map([message.conversation_id.as_str()], |row| row.get::<_, String>(0))?;
    let members = members.map(|id| id.map(UserId::trusted)).collect::<rusqlite::Result<_>>()?;
    Ok(Some(SearchDocument { message, members, revision }))
}

fn ids(db: &Connection, sql: &str, values: impl Params) -> DbResult<Vec<MessageId>> {
    let mut select = db.prepare_cached(sql)?;
    let found = select.query_map(values, |row| row.get::<_, String>(0))?;
    Ok(found.map(|id| id.map(MessageId::trusted)).collect::<rusqlite::Result<_>>()?)
}
