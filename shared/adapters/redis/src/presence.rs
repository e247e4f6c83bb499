//! `Presence`: the `online_users` Set, and its reconciliation with the connections. `LastSeen`: when users
//! went offline.

use async_trait::async_trait;
use redis::cmd;
use shared::id::UserId;
use shared::ports::{LastSeen, Presence, StoreResult};
use shared::time::Time;

use crate::Redis;

/// The most entries that one script handles. The server runs nothing else during a script, so pages are small.
const PAGE: u32 = 1_000;

/// The cursor that starts an HSCAN or SSCAN; the server returns it when the scan is complete.
const SCAN_START: &str = "0";

#[async_trait]
impl Presence for Redis {
    async fn online_of(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("SMISMEMBER");
        command.arg(&self.keys.online);
        users.iter().for_each(|user| _ = command.arg(user.as_str()));
        let is_online: Vec<bool> = self.server.query(&command).await?;
        Ok(users.iter().zip(is_online).filter(|(_, online)| *online).map(|(user, _)| user.clone()).collect())
    }

    async fn online(&self) -> StoreResult<Vec<UserId>> {
        let ids: Vec<String> = self.server.query(cmd("SMEMBERS").arg(&self.keys.online)).await?;
        Ok(ids.into_iter().map(UserId::trusted).collect())
    }

    async fn count(&self) -> StoreResult<u64> {
        self.server.query(cmd("SCARD").arg(&self.keys.online)).await
    }

    /// The `connections` Hash is authoritative. First every stored connection is added to the indexes and to
    /// the set, then entries without a connection are removed. Each page is one atomic script that checks
    /// and changes its entries together, so a connect between two pages is never undone.
    async fn reconcile(&self, now: Time) -> StoreResult<Vec<UserId>> {
        self.reconcile_connections().await?;
        self.reconcile_index().await?;
        self.reconcile_addresses().await?;
        self.reconcile_online(now).await
    }
}

#[async_trait]
impl LastSeen for Redis {
    async fn times_of(&self, users: &[UserId]) -> StoreResult<Vec<(UserId, Time)>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("ZMSCORE");
        command.arg(&self.keys.last_seen);
        users.iter().for_each(|user| _ = command.arg(user.as_str()));
        let times: Vec<Option<i64>> = self.server.query(&command).await?;
        let last_seen =
            users.iter().zip(times).filter_map(|(user, at)| Some((user.clone(), Time::from_millis(at?))));
        Ok(last_seen.collect())
    }

    async fn unsynced(&self, limit: u32) -> StoreResult<Vec<(UserId, Time)>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = cmd("ZRANGE");
        command.arg(&self.keys.last_seen).arg(0).arg(limit - 1).arg("WITHSCORES");
        let found: Vec<(String, i64)> = self.server.query(&command).await?;
        Ok(found.into_iter().map(|(user, at)| (UserId::trusted(user), Time::from_millis(at))).collect())
    }

    async fn mark_synced(&self, last_seen: &[(UserId, Time)]) -> StoreResult<()> {
        for page in last_seen.chunks(PAGE as usize) {
            let mut script = self.scripts.mark_synced.prepare_invoke();
            script.key(&self.keys.last_seen);
            page.iter().for_each(|(user, at)| _ = script.arg(user.as_str()).arg(at.millis()));
            self.server.script::<()>(&script).await?;
        }
        Ok(())
    }
}

impl Redis {
    /// Adds every stored connection to the indexes, and its user to the online set.
    async fn reconcile_connections(&self) -> StoreResult<()> {
        let (keys, mut cursor) = (&self.keys, SCAN_START.to_owned());
        loop {
            let mut script = self.scripts.reconcile_connections.prepare_invoke();
            script.key(&keys.connections).key(&keys.pings).key(&keys.leases).key(&keys.attached);
            script.key(&keys.by_user).key(&keys.by_session).key(&keys.online).key(&keys.by_address);
            script.arg(cursor).arg(PAGE);
            cursor = self.server.script(&script).await?;
            if cursor == SCAN_START {
                return Ok(());
            }
        }
    }

    /// Removes index entries whose connection is not stored any more.
    async fn reconcile_index(&self) -> StoreResult<()> {
        for index in [&self.keys.by_user, &self.keys.by_session] {
            let mut low = Some("-".to_owned());
            while let Some(from) = low {
                let mut script = self.scripts.reconcile_index.prepare_invoke();
                script.key(&self.keys.connections).key(&self.keys.attached).key(index);
                low = self.server.script(script.arg(from).arg(PAGE)).await?;
            }
        }
        Ok(())
    }

    /// Removes addresses' entries whose connection is not stored any more.
    async fn reconcile_addresses(&self) -> StoreResult<()> {
        let mut low = Some("-".to_owned());
        while let Some(from) = low {
            let mut script = self.scripts.reconcile_addresses.prepare_invoke();
            script.key(&self.keys.connections).key(&self.keys.by_address);
            low = self.server.script(script.arg(from).arg(PAGE)).await?;
        }
        Ok(())
    }

    /// Removes users without a connection from the online set, and returns them.
    async fn reconcile_online(&self, now: Time) -> StoreResult<Vec<UserId>> {
        let (mut offline, mut cursor) = (Vec::new(), SCAN_START.to_owned());
        loop {
            let mut script = self.scripts.reconcile_online.prepare_invoke();
            script.key(&self.keys.online).key(&self.keys.by_user).key(&self.keys.last_seen);
            script.key(&self.keys.arrivals).key(&self.keys.departures).key(&self.keys.changed_at);
            script.arg(cursor).arg(PAGE).arg(now.millis());
            let (next, page): (String, Vec<String>) = self.server.script(&script).await?;
            offline.extend(page.into_iter().map(UserId::trusted));
            if next == SCAN_START {
                return Ok(offline);
            }
            cursor = next;
        }
    }
}
