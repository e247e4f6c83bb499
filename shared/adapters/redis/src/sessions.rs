//! `Sessions`: a Hash per session with its own TTL. What asks by session id is one round trip; what asks
//! by user reads the user's index first.

use async_trait::async_trait;
use redis::{Pipeline, cmd};
use shared::error::StoreError;
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, Session};
use shared::time::Time;

use crate::{Redis, STORE};

/// How many hashes that were good are kept for a session: ten days of refreshing every quarter of an hour.
const USED_HASHES: u32 = 1_000;

/// The fields of a session in the order of [`Row`].
const FIELDS: [&str; 6] = ["user", "hash", "device", "created", "seen", "expires"];

/// What is stored of a session: user, hash, device, and the three times in milliseconds.
type Row = (Option<String>, Option<String>, Option<String>, Option<i64>, Option<i64>, Option<i64>);

/// The script's verdict and the session as it is afterwards, or was before it ended.
type Rotated = (String, String, String, String, i64, i64, i64);

#[async_trait]
impl Sessions for Redis {
    async fn open(&self, session: &Session) -> StoreResult<()> {
        let mut script = self.scripts.session_open.prepare_invoke();
        script.key(self.keys.session(&session.id)).key(self.keys.sessions_of(&session.user_id));
        script.arg(session.id.as_str()).arg(session.user_id.as_str());
        script.arg(&session.refresh_hash).arg(&session.device);
        script.arg(session.created_at.millis()).arg(session.last_seen_at.millis());
        script.arg(session.expires_at.millis()).arg(ttl(session.last_seen_at, session.expires_at));
        self.link.script(&script).await
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        let fields = self.link.query(cmd("HMGET").arg(self.keys.session(id)).arg(&FIELDS)).await?;
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
        // The script must be given the name of the index, so whose session it is comes first. That never
        // changes, so nothing can come between.
        let owner: Option<String> =
            self.link.query(cmd("HGET").arg(self.keys.session(id)).arg("user")).await?;
        let Some(owner) = owner.map(UserId::trusted) else { return Ok(Rotation::Unknown) };
        let mut script = self.scripts.session_rotate.prepare_invoke();
        script.key(self.keys.session(id)).key(self.keys.used(id)).key(self.keys.sessions_of(&owner));
        script.arg(id.as_str()).arg(shown_hash).arg(new_hash).arg(now.millis());
        script.arg(expires_at.millis()).arg(ttl(now, expires_at)).arg(USED_HASHES);
        // A second try would show a hash that the first one has used up, and so end the session.
        let answer: Option<Rotated> = self.link.script_once(&script).await?;
        let Some((verdict, user, hash, device, created, seen, expires)) = answer else {
            return Ok(Rotation::Unknown);
        };
        let row = (Some(user), Some(hash), Some(device), Some(created), Some(seen), Some(expires));
        let session = session(id, row)?.ok_or_else(|| damaged(id))?;
        Ok(if verdict == "rotated" { Rotation::Rotated(session) } else { Rotation::Reused(session) })
    }

    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool> {
        Ok(!self.end_these(user, std::slice::from_ref(id)).await?.is_empty())
    }

    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>> {
        let mut ids = self.session_ids(user).await?;
        ids.retain(|id| Some(id) != except);
        if ids.is_empty() { Ok(ids) } else { self.end_these(user, &ids).await }
    }

    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>> {
        let ids = self.session_ids(user).await?;
        let mut pipe = Pipeline::with_capacity(ids.len());
        ids.iter().for_each(|id| _ = pipe.cmd("HMGET").arg(self.keys.session(id)).arg(&FIELDS));
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = self.link.pipe(&pipe).await?;
        let read = ids.iter().zip(rows).map(|(id, row)| session(id, row)).collect::<StoreResult<Vec<_>>>()?;
        let mut living: Vec<_> = read.into_iter().flatten().filter(|s| s.expires_at > now).collect();
        living.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(living)
    }
}

impl Redis {
    async fn session_ids(&self, user: &UserId) -> StoreResult<Vec<SessionId>> {
        let mut command = cmd("ZRANGE");
        command.arg(self.keys.sessions_of(user)).arg(0).arg(-1);
        let ids: Vec<String> = self.link.query(&command).await?;
        Ok(ids.into_iter().map(SessionId::trusted).collect())
    }

    /// Ends these at once; those that were the user's and lived.
    async fn end_these(&self, user: &UserId, ids: &[SessionId]) -> StoreResult<Vec<SessionId>> {
        let mut script = self.scripts.session_end.prepare_invoke();
        script.key(self.keys.sessions_of(user)).arg(user.as_str());
        for id in ids {
            script.key(self.keys.session(id)).key(self.keys.used(id)).arg(id.as_str());
        }
        let ended: Vec<String> = self.link.script(&script).await?;
        Ok(ended.into_iter().map(SessionId::trusted).collect())
    }
}

/// The session that a row tells of; `None` where there is none.
fn session(id: &SessionId, row: Row) -> StoreResult<Option<Session>> {
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
        _ => Err(damaged(id)),
    }
}

fn damaged(id: &SessionId) -> StoreError {
    StoreError::Corrupt(STORE, format!("session {id} lacks a field").into())
}

/// The TTL in milliseconds, counted by the caller's clock: the server's may differ, a span does not.
fn ttl(now: Time, expires_at: Time) -> i64 {
    expires_at.millis().saturating_sub(now.millis()).max(1)
}
