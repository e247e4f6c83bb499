//! `Connections`: opening, attaching and ending are one atomic script each. Of any number of concurrent
//! connects and disconnects, exactly one is reported as the user's first and exactly one as the last.

use async_trait::async_trait;
use redis::{Pipeline, cmd};
use shared::connection::{AttachOutcome, Connection, EndedConnection, Receiver};
use shared::error::StoreError;
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::{Attachment, Connections, MISSED_FOR, StoreResult};
use shared::time::Time;

use crate::keys::{lower_bound_after, prefix_range};
use crate::row::{self, EndedRow};
use crate::{Redis, STORE};

/// The most users that one pipeline asks for.
const USERS_PER_PIPELINE: usize = 500;

#[async_trait]
impl Connections for Redis {
    async fn open(&self, connection: &Connection, max_per_address: u32) -> StoreResult<bool> {
        let keys = &self.keys;
        let mut script = self.scripts.open.prepare_invoke();
        script.key(&keys.connections).key(&keys.pings).key(&keys.leases).key(&keys.by_address);
        script.arg(connection.id.as_str()).arg(row::encode(connection));
        script.arg(connection.pinged_at.millis()).arg(connection.lease_until.millis());
        script.arg(&connection.address).arg(max_per_address);
        self.server.script(&script).await
    }

    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        let mut pipe = redis::pipe();
        pipe.atomic().hget(&self.keys.connections, id.as_str());
        pipe.zscore(&self.keys.pings, id.as_str()).zscore(&self.keys.leases, id.as_str());
        let (text, pinged_at, lease_until): (Option<String>, Option<i64>, Option<i64>) =
            self.server.pipe(&pipe).await?;
        text.map(|text| row::connection((id.to_string(), text, pinged_at, lease_until))).transpose()
    }

    async fn attach(&self, id: &ConnectionId, attachment: &Attachment<'_>) -> StoreResult<AttachOutcome> {
        let Attachment { identity, lease_until, max_per_user, now } = *attachment;
        let keys = &self.keys;
        let mut script = self.scripts.attach.prepare_invoke();
        script.key(&keys.connections).key(&keys.leases).key(&keys.attached);
        script.key(&keys.by_user).key(&keys.by_session).key(&keys.online);
        script.key(&keys.arrivals).key(&keys.departures).key(&keys.changed_at);
        script.arg(id.as_str()).arg(identity.user_id.as_str()).arg(identity.session_id.as_str());
        script.arg(lease_until.millis()).arg(now.millis()).arg(max_per_user);
        match self.server.script::<String>(&script).await?.as_str() {
            "first" => Ok(AttachOutcome::Attached { came_online: true }),
            "already" => Ok(AttachOutcome::Attached { came_online: false }),
            "gone" => Ok(AttachOutcome::ConnectionGone),
            "full" => Ok(AttachOutcome::TooMany),
            other => Err(StoreError::Corrupt(STORE, format!("the attach script returned {other:?}").into())),
        }
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>> {
        let keys = &self.keys;
        let mut script = self.scripts.end.prepare_invoke();
        script.key(&keys.connections).key(&keys.pings).key(&keys.leases).key(&keys.attached);
        script.key(&keys.by_user).key(&keys.by_session).key(&keys.by_room).key(&keys.rooms_of);
        script.key(&keys.online).key(&keys.last_seen).key(&keys.arrivals).key(&keys.departures);
        script.key(&keys.changed_at).key(&keys.by_address).arg(id.as_str()).arg(now.millis());
        let row: Option<EndedRow> = self.server.script(&script).await?;
        let Some((id, text, pinged_at, lease_until, last, rooms)) = row else { return Ok(None) };
        let connection = row::connection((id, text, pinged_at, lease_until))?;
        Ok(Some(EndedConnection { connection, last, rooms: row::rooms(rooms) }))
    }

    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>> {
        let mut found = Vec::new();
        for chunk in users.chunks(USERS_PER_PIPELINE) {
            let mut pipe = Pipeline::with_capacity(chunk.len());
            for user in chunk {
                let (low, high) = prefix_range(user.as_str());
                pipe.zrangebylex(&self.keys.by_user, low, high);
            }
            let members: Vec<Vec<String>> = self.server.pipe(&pipe).await?;
            found.extend(row::receivers(&members.concat())?);
        }
        Ok(found)
    }

    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>> {
        let (low, high) = prefix_range(session.as_str());
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&self.keys.by_session).arg(low).arg(high);
        row::receivers(&self.server.query::<Vec<String>>(&command).await?)
    }

    async fn sessions(&self, after: Option<&SessionId>, limit: u32) -> StoreResult<Vec<SessionId>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let low = after.map_or_else(|| "-".to_owned(), |id| lower_bound_after(id.as_str()));
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&self.keys.by_session).arg(low).arg("+").arg("LIMIT").arg(0).arg(limit);
        let members: Vec<String> = self.server.query(&command).await?;
        let mut sessions: Vec<&str> = members.iter().filter_map(|member| member.split(' ').next()).collect();
        // The entries of one session follow each other.
        sessions.dedup();
        Ok(sessions.into_iter().map(SessionId::trusted).collect())
    }

    async fn note_missed(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        seq: u64,
        _now: Time,
    ) -> StoreResult<()> {
        let mut script = self.scripts.note_missed.prepare_invoke();
        script.key(self.keys.missed(user)).arg(conversation.as_str()).arg(seq);
        script.arg(u64::try_from(MISSED_FOR.as_millis()).unwrap_or(u64::MAX));
        self.server.script(&script).await
    }

    async fn missed(&self, user: &UserId, _now: Time) -> StoreResult<Vec<(ConversationId, u64)>> {
        let found: Vec<(String, u64)> = self.server.query(cmd("HGETALL").arg(self.keys.missed(user))).await?;
        Ok(found
            .into_iter()
            .map(|(conversation, seq)| (ConversationId::trusted(conversation), seq))
            .collect())
    }

    async fn all_attached(&self, last: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>> {
        let low = last.map_or_else(|| "-".to_owned(), |id| lower_bound_after(id.as_str()));
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&self.keys.attached).arg(low).arg("+").arg("LIMIT").arg(0).arg(limit);
        row::receivers(&self.server.query::<Vec<String>>(&command).await?)
    }
}
