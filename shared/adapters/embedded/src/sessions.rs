//! `Sessions`, stored durably so that users stay logged in after a restart.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, RotationRequest, Session};
use shared::time::Time;

use crate::Embedded;
use crate::documents::rows::time;
use crate::error::DbResult;

const COLUMNS: &str = "id, user_id, refresh_hash, device, created_at, last_seen_at, expires_at";

/// The most spent hashes kept per session: ten days of a refresh every 15 minutes.
const SPENT_HASHES: u32 = 1_000;

#[async_trait]
impl Sessions for Embedded {
    async fn open(&self, session: &Session, per_user: u32) -> StoreResult<Vec<SessionId>> {
        let session = session.clone();
        self.store.write(move |db| open(db, &session, per_user)).await
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        let id = id.clone();
        self.store.read(move |db| live(db, &id, now)).await
    }

    async fn not_live(&self, ids: &[SessionId], now: Time) -> StoreResult<Vec<SessionId>> {
        let ids = ids.to_vec();
        self.store
            .read(move |db| {
                let mut ended = Vec::new();
                for id in ids {
                    if live(db, &id, now)?.is_none() {
                        ended.push(id);
                    }
                }
                Ok(ended)
            })
            .await
    }

    async fn rotate(&self, request: &RotationRequest) -> StoreResult<Rotation> {
        let request = request.clone();
        self.store.write(move |db| rotate(db, &request)).await
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

fn open(db: &Connection, session: &Session, per_user: u32) -> DbResult<Vec<SessionId>> {
    // Each login deletes the same user's expired sessions; nothing else does.
    db.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND expires_at <= ?2")?
        .execute(params![session.user_id.as_str(), session.created_at.millis()])?;
    let sql = "INSERT INTO sessions (id, user_id, refresh_hash, device, created_at, last_seen_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        session.id.as_str(),
        session.user_id.as_str(),
        session.refresh_hash,
        session.device,
        session.created_at.millis(),
        session.last_seen_at.millis(),
        session.expires_at.millis(),
    ])?;
    delete_surplus(db, session, per_user)
}

/// Ends the user's sessions that expire first, beside the new one, until `per_user` are left.
fn delete_surplus(db: &Connection, new: &Session, per_user: u32) -> DbResult<Vec<SessionId>> {
    let sql = "DELETE FROM sessions WHERE id IN
               (SELECT id FROM sessions WHERE user_id = ?1 AND id <> ?2
                ORDER BY expires_at DESC, id DESC LIMIT -1 OFFSET ?3) RETURNING id";
    let mut delete = db.prepare_cached(sql)?;
    let others = per_user.saturating_sub(1);
    let ended = delete.query_map(params![new.user_id.as_str(), new.id.as_str(), others], |row| {
        row.get::<_, String>(0).map(SessionId::trusted)
    })?;
    Ok(ended.collect::<rusqlite::Result<_>>()?)
}

fn rotate(db: &Connection, request: &RotationRequest) -> DbResult<Rotation> {
    let RotationRequest { id, shown_hash, now, .. } = request;
    let Some(session) = live(db, id, *now)? else { return Ok(Rotation::Unknown) };
    if session.refresh_hash == *shown_hash {
        let expires_at = request.expires_at.min(session.created_at + request.lifetime);
        if expires_at <= *now {
            return Ok(Rotation::Unknown);
        }
        insert_spent_hash(db, &session, *now)?;
        let refresh_hash = request.new_hash.clone();
        let next = Session { refresh_hash, last_seen_at: *now, expires_at, ..session };
        renew(db, &next, request)?;
        return Ok(Rotation::Rotated(next));
    }
    if let Some(sealed_token) = repeated(db, request)? {
        return Ok(Rotation::Repeated { session, sealed_token });
    }
    if is_spent(db, id, shown_hash)? {
        delete(db, id)?;
        return Ok(Rotation::Reused(session));
    }
    Ok(Rotation::Unknown)
}

/// The sealed token of the latest rotation, if that rotation replaced the shown token less than the grace period ago.
fn repeated(db: &Connection, request: &RotationRequest) -> DbResult<Option<String>> {
    let after = request.now - request.grace;
    let sql = "SELECT sealed_token FROM sessions WHERE id = ?1 AND replaced_hash = ?2 AND rotated_at > ?3";
    let values = params![request.id.as_str(), request.shown_hash, after.millis()];
    Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?)
}

fn live(db: &Connection, id: &SessionId, now: Time) -> DbResult<Option<Session>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1 AND expires_at > ?2");
    Ok(db.prepare_cached(&sql)?.query_row(params![id.as_str(), now.millis()], session).optional()?)
}

/// Records the current hash as spent; presenting it again ends the session. Deletes the hashes of tokens that have
/// expired, and the oldest of too many.
fn insert_spent_hash(db: &Connection, session: &Session, now: Time) -> DbResult<()> {
    let (id, expires_at) = (session.id.as_str(), session.expires_at.millis());
    db.prepare_cached("INSERT OR IGNORE INTO spent_hashes VALUES (?1, ?2, ?3)")?.execute(params![
        id,
        session.refresh_hash,
        expires_at
    ])?;
    let sql = "DELETE FROM spent_hashes WHERE session_id = ?1 AND (expires_at <= ?2 OR hash IN
               (SELECT hash FROM spent_hashes WHERE session_id = ?1
                ORDER BY expires_at DESC LIMIT -1 OFFSET ?3))";
    db.prepare_cached(sql)?.execute(params![id, now.millis(), SPENT_HASHES])?;
    Ok(())
}

fn renew(db: &Connection, next: &Session, request: &RotationRequest) -> DbResult<()> {
    let sql = "UPDATE sessions SET refresh_hash = ?2, last_seen_at = ?3, expires_at = ?4, replaced_hash = ?5,
               sealed_token = ?6, rotated_at = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        next.id.as_str(),
        next.refresh_hash,
        next.last_seen_at.millis(),
        next.expires_at.millis(),
        request.shown_hash,
        request.sealed_token,
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
