//! `Sessions`: one Hash per session, with its own TTL. A lookup by session id is one round trip; a lookup by
//! user reads the user's index first.

use std::time::Duration;

use async_trait::async_trait;
use redis::{Pipeline, cmd};
use shared::error::StoreError;
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, RotationRequest, Session};
use shared::time::Time;

use crate::{Redis, STORE};

/// The most earlier refresh hashes kept per session: ten days of a refresh every 15 minutes.
const USED_HASHES: u32 = 1_000;

/// The fields of a session's Hash, in the order of [`SessionRow`].
const FIELDS: [&str; 6] = ["user", "hash", "device", "created", "seen", "expires"];

/// The values of [`FIELDS`]; times are in milliseconds. All are `None` when the session is not stored.
type SessionRow = (Option<String>, Option<String>, Option<String>, Option<i64>, Option<i64>, Option<i64>);

/// The rotate script's verdict (`rotated`, `repeated` or `reused`), the values of [`FIELDS`] (after the rotation, or
/// before the reuse ended the session), and the latest rotation's sealed token, empty without one.
type RotateReply = (String, String, String, String, i64, i64, i64, String);

/// How often opening a session reads the user's sessions again, because others were opened in between.
const OPEN_ATTEMPTS: u32 = 20;

#[async_trait]
impl Sessions for Redis {
    async fn open(&self, session: &Session, per_user: u32) -> StoreResult<Vec<SessionId>> {
        for _ in 0..OPEN_ATTEMPTS {
            // The script needs the names of the sessions that it may end as keys, so they are read first.
            let known = self.session_ids(&session.user_id).await?;
            if let Some(ended) = self.try_open(session, per_user, &known).await? {
                return Ok(ended);
            }
        }
        Err(StoreError::down(STORE, "too many sessions of one user were opened at once"))
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        let fields = self.server.query(cmd("HMGET").arg(self.keys.session(id)).arg(&FIELDS)).await?;
        Ok(session(id, fields)?.filter(|session| session.expires_at > now))
    }

    async fn not_live(&self, ids: &[SessionId], now: Time) -> StoreResult<Vec<SessionId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = Pipeline::with_capacity(ids.len());
        ids.iter().for_each(|id| _ = pipe.cmd("HGET").arg(self.keys.session(id)).arg("expires"));
        let expires: Vec<Option<i64>> = self.server.pipe(&pipe).await?;
        let ended = ids.iter().zip(expires).filter(|(_, at)| at.is_none_or(|at| at <= now.millis()));
        Ok(ended.map(|(id, _)| id.clone()).collect())
    }

    async fn rotate(&self, request: &RotationRequest) -> StoreResult<Rotation> {
        let RotationRequest { id, now, .. } = request;
        // The script needs the name of the user's index as a key, so the session's user is read first. A
        // session never changes its user, so the two steps cannot disagree.
        let owner: Option<String> =
            self.server.query(cmd("HGET").arg(self.keys.session(id)).arg("user")).await?;
        let Some(owner) = owner.map(UserId::trusted) else { return Ok(Rotation::Unknown) };
        let mut script = self.scripts.session_rotate.prepare_invoke();
        script.key(self.keys.session(id)).key(self.keys.used_hashes(id)).key(self.keys.sessions_of(&owner));
        script.arg(id.as_str()).arg(&request.shown_hash).arg(&request.new_hash).arg(now.millis());
        script.arg(request.expires_at.millis()).arg(millis(request.lifetime)).arg(USED_HASHES);
        script.arg(&request.sealed_token).arg(millis(request.grace));
        // Without a grace period there is no second try: if the first one had rotated, the second would count as a reuse
        // and end the session.
        let answer: Option<RotateReply> = match request.grace.is_zero() {
            true => self.server.script_once(&script).await?,
            false => self.server.script(&script).await?,
        };
        let Some((verdict, user, hash, device, created, seen, expires, sealed_token)) = answer else {
            return Ok(Rotation::Unknown);
        };
        let row = (Some(user), Some(hash), Some(device), Some(created), Some(seen), Some(expires));
        let session = session(id, row)?.ok_or_else(|| corrupt(id))?;
        match verdict.as_str() {
            "rotated" => Ok(Rotation::Rotated(session)),
            "repeated" => Ok(Rotation::Repeated { session, sealed_token }),
            _ => Ok(Rotation::Reused(session)),
        }
    }

    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool> {
        Ok(!self.end_sessions(user, std::slice::from_ref(id)).await?.is_empty())
    }

    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>> {
        let mut ids = self.session_ids(user).await?;
        ids.retain(|id| Some(id) != except);
        if ids.is_empty() { Ok(ids) } else { self.end_sessions(user, &ids).await }
    }

    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>> {
        let ids = self.session_ids(user).await?;
        let mut pipe = Pipeline::with_capacity(ids.len());
        ids.iter().for_each(|id| _ = pipe.cmd("HMGET").arg(self.keys.session(id)).arg(&FIELDS));
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<SessionRow> = self.server.pipe(&pipe).await?;
        let stored =
            ids.iter().zip(rows).map(|(id, row)| session(id, row)).collect::<StoreResult<Vec<_>>>()?;
        let mut live: Vec<_> = stored.into_iter().flatten().filter(|s| s.expires_at > now).collect();
        live.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(live)
    }
}

impl Redis {
    /// Opens a session and ends those of `known` that are too many. `None`, and nothing is changed, if a session that is
    /// not in `known` would have to end.
    async fn try_open(
        &self,
        session: &Session,
        per_user: u32,
        known: &[SessionId],
    ) -> StoreResult<Option<Vec<SessionId>>> {
        let mut script = self.scripts.session_open.prepare_invoke();
        script.key(self.keys.session(&session.id)).key(self.keys.sessions_of(&session.user_id));
        script.arg(session.id.as_str()).arg(session.user_id.as_str());
        script.arg(&session.refresh_hash).arg(&session.device);
        script.arg(session.created_at.millis()).arg(session.last_seen_at.millis());
        script.arg(session.expires_at.millis()).arg(ttl(session.last_seen_at, session.expires_at));
        script.arg(per_user.max(1));
        for id in known {
            script.key(self.keys.session(id)).key(self.keys.used_hashes(id)).arg(id.as_str());
        }
        let ended: Option<Vec<String>> = self.server.script(&script).await?;
        Ok(ended.map(|ids| ids.into_iter().map(SessionId::trusted).collect()))
    }

    async fn session_ids(&self, user: &UserId) -> StoreResult<Vec<SessionId>> {
        let mut command = cmd("ZRANGE");
        command.arg(self.keys.sessions_of(user)).arg(0).arg(-1);
        let ids: Vec<String> = self.server.query(&command).await?;
        Ok(ids.into_iter().map(SessionId::trusted).collect())
    }

    /// Ends these sessions of the user atomically. Returns those that existed and were the user's.
    async fn end_sessions(&self, user: &UserId, ids: &[SessionId]) -> StoreResult<Vec<SessionId>> {
        let mut script = self.scripts.session_end.prepare_invoke();
        script.key(self.keys.sessions_of(user)).arg(user.as_str());
        for id in ids {
            script.key(self.keys.session(id)).key(self.keys.used_hashes(id)).arg(id.as_str());
        }
        let ended: Vec<String> = self.server.script(&script).await?;
        Ok(ended.into_iter().map(SessionId::trusted).collect())
    }
}

/// Decodes a session; `None` if it is not stored.
fn session(id: &SessionId, row: SessionRow) -> StoreResult<Option<Session>> {
    match row {
        (None, ..) => Ok(None),
        (Some(user), Some(refresh_hash), Some(device), Some(created), Some(seen), Some(expires)) => {
            Ok(Some(Session {
                id: id.clone(),
                user_id: UserId::trusted(user),
                refresh_hash,
                device,
                created_at: Time::from_millis(created),
                last_seen_at: Time::from_millis(seen),
                expires_at: Time::from_millis(expires),
            }))
        }
        _ => Err(corrupt(id)),
    }
}

fn corrupt(id: &SessionId) -> StoreError {
    StoreError::Corrupt(STORE, format!("session {id} has only some of its fields").into())
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The TTL in milliseconds: a duration, because the server's clock may differ from the caller's.
fn ttl(now: Time, expires_at: Time) -> i64 {
    expires_at.millis().saturating_sub(now.millis()).max(1)
}
