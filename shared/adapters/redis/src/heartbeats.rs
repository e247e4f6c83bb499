//! `Heartbeats`: two sorted sets, one scored by the last ping and one by the end of the lease. A ping or a
//! renewal for a connection that has ended is ignored.

use async_trait::async_trait;
use redis::cmd;
use shared::connection::Connection;
use shared::id::ConnectionId;
use shared::ports::{Heartbeats, StoreResult};
use shared::time::Time;

use crate::Redis;
use crate::row::{self, ConnectionRow};

#[async_trait]
impl Heartbeats for Redis {
    async fn due(&self, pinged_before: Time, limit: u32) -> StoreResult<Vec<Connection>> {
        let mut script = self.scripts.due.prepare_invoke();
        script.key(&self.keys.connections).key(&self.keys.pings).key(&self.keys.leases);
        script.arg(pinged_before.millis()).arg(limit);
        let rows: Vec<ConnectionRow> = self.server.script(&script).await?;
        rows.into_iter().map(row::connection).collect()
    }

    async fn mark_pinged(&self, id: &ConnectionId, at: Time) -> StoreResult<()> {
        self.advance(&self.keys.pings, id, at).await
    }

    async fn renew_lease(&self, id: &ConnectionId, lease_until: Time) -> StoreResult<()> {
        self.advance(&self.keys.leases, id, lease_until).await
    }

    async fn expired(&self, now: Time, limit: u32) -> StoreResult<Vec<ConnectionId>> {
        let mut command = cmd("ZRANGEBYSCORE");
        command.arg(&self.keys.leases).arg("-inf").arg(format!("({}", now.millis()));
        command.arg("LIMIT").arg(0).arg(limit);
        let ids: Vec<String> = self.server.query(&command).await?;
        Ok(ids.into_iter().map(ConnectionId::trusted).collect())
    }
}

impl Redis {
    /// Raises the connection's score to `to`. A lower score is ignored (`GT`), and so is a connection that has
    /// ended (`XX`); adding it again would leave an entry without a connection.
    async fn advance(&self, key: &str, id: &ConnectionId, to: Time) -> StoreResult<()> {
        let mut command = cmd("ZADD");
        command.arg(key).arg("XX").arg("GT").arg(to.millis()).arg(id.as_str());
        self.server.query(&command).await
    }
}
