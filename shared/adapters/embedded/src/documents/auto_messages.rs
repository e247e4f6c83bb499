//! `AutoMessages`: plans that nobody plans twice, and claims under a lease.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages, StoreResult};
use shared::time::Time;

use super::rows::{count, time};
use crate::Embedded;
use crate::error::Done;

/// Rows of a plan that one job stores, so that other writes pass between. A plan comes in no order, so its rows
/// fall on all pages of the indexes: the more share a commit, the less is written.
const PLAN_BATCH: usize = 10_000;

/// Whether a user has a part in a day already.
const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM auto_messages WHERE planned_for = ?1 AND sender_id = ?2)
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
                let mut select = db.prepare_cached(TAKEN)?;
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

fn insert_missing(db: &Connection, batch: &[AutoMessage]) -> Done<u64> {
    // Two statements, and no race between them: there is one writer. A single `INSERT … SELECT` may insert many
    // rows for all that SQLite knows, so it keeps a journal for each; inside a savepoint that journal only grows,
    // and a million users would take minutes.
    let mut taken = db.prepare_cached(TAKEN)?;
    let sql = format!(
        "INSERT INTO auto_messages ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING"
    );
    let mut insert = db.prepare_cached(&sql)?;
    let mut new = 0;
    for row in batch {
        let mut has_part =
            |user: &UserId| taken.query_row([row.planned_for.as_str(), user.as_str()], |found| found.get(0));
        if has_part(&row.sender_id)? || has_part(&row.receiver_id)? {
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

fn claim(db: &Connection, now: Time, lease_until: Time, limit: u32) -> Done<Vec<AutoMessage>> {
    let due = "SELECT row FROM auto_messages WHERE is_queued = 0 AND send_date <= ?1
               AND (lease_until IS NULL OR lease_until <= ?1) ORDER BY send_date, row LIMIT ?2";
    let rows: Vec<i64> = db
        .prepare_cached(due)?
        .query_map(params![now.millis(), limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let take = format!(
        "UPDATE auto_messages SET lease_until = ?2, attempts = attempts + 1 WHERE row = ?1
         RETURNING {COLUMNS}"
    );
    let mut take = db.prepare_cached(&take)?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push(take.query_row(params![row, lease_until.millis()], auto_message)?);
    }
    Ok(claimed)
}
