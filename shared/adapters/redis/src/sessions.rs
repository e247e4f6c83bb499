//! `Sessions`: one Hash per session, with its own TTL. A lookup by session id is one round trip; a lookup by
//! user reads the user's index first.

use async_trait::async_trait;
use redis::{Pipeline, cmd};
use shared::error::StoreError;
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, Session};
use shared::time::Time;

use crate::{Redis, STORE};

/// The most earlier refresh hashes kept per session: ten days of a refresh every 15 minutes.
const USED_HASHES: u32 = 1_000;

/// The fields of a session's Hash, in the order of [`SessionRow`].
const FIELDS: [&str; 6] = ["user", "hash", "device", "created", "seen", "expires"];

/// The values of [`FIELDS`]; times are in milliseconds. All are `None` when the session is not stored.
type SessionRow = (Option<String>, Option<String>, Option<String>, Option<i64>, Option<i64>, Option<i64>);

/// The rotate script's verdict (`rotated` or `reused`), then the values of [`FIELDS`]: after the rotation, or
/// before the reuse ended the session.
type RotateReply = (String, String, String, String, i64, i64, i64);

#[async_trait]
impl Sessions for Redis {
    async fn open(&self, session: &Session) -> StoreResult<()> {
        let mut script = self.scripts.session_open.prepare_invoke();
        script.key(self.keys.session(&session.id)).key(self.keys.sessions_of(&session.user_id));
        script.arg(session.id.as_str()).arg(session.user_id.as_str());
        script.arg(&session.refresh_hash).arg(&session.device);
        script.arg(session.created_at.millis()).arg(session.last_seen_at.millis());
        script.arg(session.expires_at.millis()).arg(ttl(session.last_seen_at, session.expires_at));
        self.server.script(&script).await
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        let fields = self.server.query(cmd("HMGET").arg(self.keys.session(id)).arg(&FIELDS)).await?;
        Ok(session(id, fields)?.filter(|session| session.expires_at > now))
    }

    async fn rotate(
        &self,
        id: &SessionId,
        shown_hash: &str,
        new_hash: &str,
        now: Time,
        expires_at: Time,
    ) -> StoreResult<Rotation> {
        // The script needs the name of the user's index as a key, so the session's user is read first. A
        // session never changes its user, so the two steps cannot disagree.
        let owner: Option<String> =
            self.server.query(cmd("HGET").arg(self.keys.session(id)).arg("user")).await?;
        let Some(owner) = owner.map(UserId::trusted) else { return Ok(Rotation::Unknown) };
        let mut script = self.scripts.session_rotate.prepare_invoke();
        script.key(self.keys.session(id)).key(self.keys.used_hashes(id)).key(self.keys.sessions_of(&owner));
        script.arg(id.as_str()).arg(shown_hash).arg(new_hash).arg(now.millis());
        script.arg(expires_at.millis()).arg(ttl(now, expires_at)).arg(USED_HASHES);
        // No second try: if the first one had rotated, the second would count as a reuse and end the session.
        let answer: Option<RotateReply> = self.server.script_once(&script).await?;
        let Some((verdict, user, hash, device, created, seen, expires)) = answer else {
            return Ok(Rotation::Unknown);
        };
        let row = (Some(user), Some(hash), Some(device), Some(created), Some(seen), Some(expires));
        let session = session(id, row)?.ok_or_else(|| corrupt(id))?;
        Ok(if verdict == "rotated" { Rotation::Rotated(session) } else { Rotation::Reused(session) })
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

/// The TTL in milliseconds: a duration, because the server's clock may differ from the caller's.
fn ttl(now: Time, expires_at: Time) -> i64 {
    expires_at.millis().saturating_sub(now.millis()).max(1)
}
