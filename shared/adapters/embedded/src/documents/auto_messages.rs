//! `AutoMessages`: at most one row per user and day, claimed under a lease.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages, StoreResult};
use shared::time::Time;

use super::rows::{count, time};
use crate::Embedded;
use crate::error::DbResult;

/// How many rows of a plan one job inserts; other writes run between two jobs. The rows come in random order and
/// touch pages all over the indexes, so fewer and larger commits write less.
const PLAN_BATCH: usize = 10_000;

/// Whether the user ?2 is the sender or receiver of a row planned for the day ?1.
const IS_PLANNED: &str =
    "SELECT EXISTS (SELECT 1 FROM auto_messages WHERE planned_for = ?1 AND sender_id = ?2)
                     OR EXISTS (SELECT 1 FROM auto_messages WHERE planned_for = ?1 AND receiver_id = ?2)";

const COLUMNS: &str =
    "id, sender_id, receiver_id, content, send_date, planned_for, is_queued, is_sent, attempts";

#[async_trait]
impl AutoMessages for Embedded {
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64> {
        let mut new = 0;
        for batch in rows.chunks(PLAN_BATCH) {
            let batch = batch.to_vec();
            new += self.store.write(move |db| insert_missing(db, &batch)).await?;
        }
        Ok(new)
    }

    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let (day, users) = (day.to_owned(), users.to_vec());
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(IS_PLANNED)?;
                let mut planned = Vec::new();
                for user in users {
                    if select.query_row([day.as_str(), user.as_str()], |row| row.get(0))? {
                        planned.push(user);
                    }
                }
                Ok(planned)
            })
            .await
    }

    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>> {
        self.store.write(move |db| claim(db, now, lease_until, limit)).await
    }

    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()> {
        let ids = ids.to_vec();
        self.store
            .write(move |db| {
                let sql = "UPDATE auto_messages SET is_queued = 1, lease_until = NULL WHERE id = ?1";
                let mut update = db.prepare_cached(sql)?;
                for id in &ids {
                    update.execute([id.as_str()])?;
                }
                Ok(())
            })
            .await
    }

    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>> {
        let id = id.clone();
        let sql = format!("SELECT {COLUMNS} FROM auto_messages WHERE id = ?1");
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(&sql)?;
                let mut rows = select.query_map([id.as_str()], auto_message)?;
                Ok(rows.next().transpose()?)
            })
            .await
    }

    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()> {
        let id = id.clone();
        self.store
            .write(move |db| {
                db.prepare_cached("UPDATE auto_messages SET is_sent = 1 WHERE id = ?1")?
                    .execute([id.as_str()])?;
                Ok(())
            })
            .await
    }

    async fn backlog(&self, now: Time) -> StoreResult<u64> {
        let sql = "SELECT count(*) FROM auto_messages WHERE is_queued = 0 AND send_date <= ?1";
        self.store
            .read(move |db| Ok(db.prepare_cached(sql)?.query_row([now.millis()], |row| count(row, 0))?))
            .await
    }
}

fn auto_message(row: &Row<'_>) -> rusqlite::Result<AutoMessage> {
    Ok(AutoMessage {
        id: AutoMessageId::trusted(row.get::<_, String>(0)?),
        sender_id: UserId::trusted(row.get::<_, String>(1)?),
        receiver_id: UserId::trusted(row.get::<_, String>(2)?),
        content: row.get(3)?,
        send_date: time(row, 4)?,
        planned_for: row.get(5)?,
        is_queued: row.get(6)?,
        is_sent: row.get(7)?,
        attempts: row.get(8)?,
    })
}

fn insert_missing(db: &Connection, batch: &[AutoMessage]) -> DbResult<u64> {
    // Two statements cannot race, because there is one writer. One `INSERT … SELECT` would be slower: SQLite cannot
    // know that it inserts a single row, so it keeps a statement journal, which grows until the savepoint ends. A
    // million users would take minutes.
    let mut is_planned = db.prepare_cached(IS_PLANNED)?;
    let sql = format!(
        "INSERT INTO auto_messages ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING"
    );
    let mut insert = db.prepare_cached(&sql)?;
    let mut new = 0;
    for row in batch {
        let mut takes_part = |user: &UserId| {
            is_planned.query_row([row.planned_for.as_str(), user.as_str()], |found| found.get(0))
        };
        if takes_part(&row.sender_id)? || takes_part(&row.receiver_id)? {
            continue;
        }
        new += insert.execute(params![
            row.id.as_str(),
            row.sender_id.as_str(),
            row.receiver_id.as_str(),
            row.content,
            row.send_date.millis(),
            row.planned_for,
            row.is_queued,
            row.is_sent,
            row.attempts,
        ])? as u64;
    }
    Ok(new)
}

fn claim(db: &Connection, now: Time, lease_until: Time, limit: u32) -> DbResult<Vec<AutoMessage>> {
    let due = "SELECT row FROM auto_messages WHERE is_queued = 0 AND send_date <= ?1
               AND (lease_until IS NULL OR lease_until <= ?1) ORDER BY send_date, row LIMIT ?2";
    let rows: Vec<i64> = db
        .prepare_cached(due)?
        .query_map(params![now.millis(), limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let lease = format!(
        "UPDATE auto_messages SET lease_until = ?2, attempts = attempts + 1 WHERE row = ?1
         RETURNING {COLUMNS}"
    );
    let mut lease = db.prepare_cached(&lease)?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push(lease.query_row(params![row, lease_until.millis()], auto_message)?);
    }
    Ok(claimed)
}
