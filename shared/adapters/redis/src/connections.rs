//! `Connections`: opening, attaching and ending are one script each, so that of any number of racing
//! connects and disconnects exactly one sees each edge.

use async_trait::async_trait;
use redis::{Pipeline, cmd};
use shared::connection::{AttachOutcome, Connection, EndedConnection, Identity, Receiver};
use shared::error::StoreError;
use shared::id::{ConnectionId, SessionId, UserId};
use shared::ports::{Connections, StoreResult};
use shared::time::Time;

use crate::keys::{after, beginning_with};
use crate::row::{self, Remains};
use crate::{Redis, STORE};

/// How many users are asked for in one pipeline.
const USERS_AT_ONCE: usize = 500;

#[async_trait]
impl Connections for Redis {
    async fn open(&self, connection: &Connection) -> StoreResult<()> {
        let keys = &self.keys;
        let mut script = self.scripts.open.prepare_invoke();
        script.key(&keys.connections).key(&keys.pings).key(&keys.leases);
        script.arg(connection.id.as_str()).arg(row::line(connection));
        script.arg(connection.pinged_at.millis()).arg(connection.lease_until.millis());
        self.link.script(&script).await
    }

    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        let mut pipe = redis::pipe();
        pipe.atomic().hget(&self.keys.connections, id.as_str());
        pipe.zscore(&self.keys.pings, id.as_str()).zscore(&self.keys.leases, id.as_str());
        let (line, pinged, lease): (Option<String>, Option<i64>, Option<i64>) = self.link.pipe(&pipe).await?;
        line.map(|line| row::connection((id.to_string(), line, pinged, lease))).transpose()
    }

    async fn attach(
        &self,
        id: &ConnectionId,
        identity: &Identity,
        lease_until: Time,
    ) -> StoreResult<AttachOutcome> {
        let keys = &self.keys;
        let mut script = self.scripts.attach.prepare_invoke();
        script.key(&keys.connections).key(&keys.leases).key(&keys.attached);
        script.key(&keys.by_user).key(&keys.by_session).key(&keys.online);
        script.arg(id.as_str()).arg(identity.user_id.as_str()).arg(identity.session_id.as_str());
        script.arg(lease_until.millis());
        match self.link.script::<String>(&script).await?.as_str() {
            "first" => Ok(AttachOutcome::Attached { came_online: true }),
            "already" => Ok(AttachOutcome::Attached { came_online: false }),
            "gone" => Ok(AttachOutcome::ConnectionGone),
            other => Err(StoreError::Corrupt(STORE, format!("attach answered {other:?}").into())),
        }
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>> {
        let keys = &self.keys;
        let mut script = self.scripts.end.prepare_invoke();
        script.key(&keys.connections).key(&keys.pings).key(&keys.leases).key(&keys.attached);
        script.key(&keys.by_user).key(&keys.by_session).key(&keys.by_room).key(&keys.rooms_of);
        script.key(&keys.online).key(&keys.last_seen).arg(id.as_str()).arg(now.millis());
        let remains: Option<Remains> = self.link.script(&script).await?;
        let Some((id, line, pinged, lease, last, rooms)) = remains else { return Ok(None) };
        let connection = row::connection((id, line, pinged, lease))?;
        Ok(Some(EndedConnection { connection, last, rooms: row::rooms(rooms) }))
    }

    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>> {
        let mut found = Vec::new();
        for some in users.chunks(USERS_AT_ONCE) {
            let mut pipe = Pipeline::with_capacity(some.len());
            for user in some {
                let (low, high) = beginning_with(user.as_str());
                pipe.zrangebylex(&self.keys.by_user, low, high);
            }
            let members: Vec<Vec<String>> = self.link.pipe(&pipe).await?;
            found.extend(row::receivers(&members.concat())?);
        }
        Ok(found)
    }

    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>> {
        let (low, high) = beginning_with(session.as_str());
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&self.keys.by_session).arg(low).arg(high);
        row::receivers(&self.link.query::<Vec<String>>(&command).await?)
    }

    async fn all_attached(&self, last: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>> {
        let low = last.map_or_else(|| "-".to_owned(), |id| after(id.as_str()));
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&self.keys.attached).arg(low).arg("+").arg("LIMIT").arg(0).arg(limit);
        row::receivers(&self.link.query::<Vec<String>>(&command).await?)
    }
}
