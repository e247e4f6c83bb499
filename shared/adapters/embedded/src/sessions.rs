//! `Sessions`, stored durably so that users stay logged in after a restart.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, Session};
use shared::time::Time;

use crate::Embedded;
use crate::documents::rows::time;
use crate::error::DbResult;

const COLUMNS: &str = "id, user_id, refresh_hash, device, created_at, last_seen_at, expires_at";

#[async_trait]
impl Sessions for Embedded {
    async fn open(&self, session: &Session) -> StoreResult<()> {
        let session = session.clone();
        self.store.write(move |db| open(db, &session)).await
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        let id = id.clone();
        self.store.read(move |db| live(db, &id, now)).await
    }

    async fn rotate(
        &self,
        id: &SessionId,
        shown_hash: &str,
        new_hash: &str,
        now: Time,
        expires_at: Time,
    ) -> StoreResult<Rotation> {
        let (id, shown, new) = (id.clone(), shown_hash.to_owned(), new_hash.to_owned());
        self.store
            .write(move |db| {
                let Some(session) = live(db, &id, now)? else { return Ok(Rotation::Unknown) };
                if session.refresh_hash == shown {
                    insert_spent_hash(db, &session)?;
                    let next = Session { refresh_hash: new, last_seen_at: now, expires_at, ..session };
                    renew(db, &next)?;
                    Ok(Rotation::Rotated(next))
                } else if is_spent(db, &id, &shown)? {
                    delete(db, &id)?;
                    Ok(Rotation::Reused(session))
                } else {
                    Ok(Rotation::Unknown)
                }
            })
            .await
    }

    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool> {
        let (user, id) = (user.clone(), id.clone());
        let sql = "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2";
        self.store
            .write(move |db| Ok(db.prepare_cached(sql)?.execute([id.as_str(), user.as_str()])? > 0))
            .await
    }

    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>> {
        let (user, except) = (user.clone(), except.map(SessionId::to_string));
        let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2 RETURNING id";
        self.store
            .write(move |db| {
                let mut delete = db.prepare_cached(sql)?;
                let ended = delete.query_map(params![user.as_str(), except], |row| {
                    row.get::<_, String>(0).map(SessionId::trusted)
                })?;
                Ok(ended.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>> {
        let user = user.clone();
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND expires_at > ?2
             ORDER BY created_at DESC, id DESC"
        );
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(&sql)?;
                let rows = select.query_map(params![user.as_str(), now.millis()], session)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: SessionId::trusted(row.get::<_, String>(0)?),
        user_id: UserId::trusted(row.get::<_, String>(1)?),
        refresh_hash: row.get(2)?,
        device: row.get(3)?,
        created_at: time(row, 4)?,
        last_seen_at: time(row, 5)?,
        expires_at: time(row, 6)?,
    })
}

fn open(db: &Connection, session: &Session) -> DbResult<()> {
    // Each login deletes the same user's expired sessions; nothing else does.
    db.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND expires_at <= ?2")?
        .execute(params![session.user_id.as_str(), session.created_at.millis()])?;
    db.prepare_cached("INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        session.id.as_str(),
        session.user_id.as_str(),
        session.refresh_hash,
        session.device,
        session.created_at.millis(),
        session.last_seen_at.millis(),
        session.expires_at.millis(),
    ])?;
    Ok(())
}

fn live(db: &Connection, id: &SessionId, now: Time) -> DbResult<Option<Session>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1 AND expires_at > ?2");
    Ok(db.prepare_cached(&sql)?.query_row(params![id.as_str(), now.millis()], session).optional()?)
}

/// Records the current hash as spent; presenting it again ends the session.
fn insert_spent_hash(db: &Connection, session: &Session) -> DbResult<()> {
    db.prepare_cached("INSERT OR IGNORE INTO spent_hashes VALUES (?1, ?2)")?
        .execute([session.id.as_str(), &session.refresh_hash])?;
    Ok(())
}

fn renew(db: &Connection, next: &Session) -> DbResult<()> {
    let sql = "UPDATE sessions SET refresh_hash = ?2, last_seen_at = ?3, expires_at = ?4 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        next.id.as_str(),
        next.refresh_hash,
        next.last_seen_at.millis(),
        next.expires_at.millis()
    ])?;
    Ok(())
}

fn is_spent(db: &Connection, id: &SessionId, hash: &str) -> DbResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM spent_hashes WHERE session_id = ?1 AND hash = ?2)";
    Ok(db.prepare_cached(sql)?.query_row([id.as_str(), hash], |row| row.get(0))?)
}

fn delete(db: &Connection, id: &SessionId) -> DbResult<()> {
    db.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}
