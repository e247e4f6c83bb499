//! `Presence`: the `online_users` Set, and making it agree with the connections again. `LastSeen`: when
//! who left it.

use async_trait::async_trait;
use redis::cmd;
use shared::id::UserId;
use shared::ports::{LastSeen, Presence, StoreResult};
use shared::time::Time;

use crate::Redis;

/// How many entries one script of the mending looks at: few enough that nobody waits for it.
const PAGE: u32 = 1_000;

/// The cursor that a walk through a set or hash begins with, and that says that it has ended.
const START: &str = "0";

#[async_trait]
impl Presence for Redis {
    async fn online_of(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("SMISMEMBER");
        command.arg(&self.keys.online);
        users.iter().for_each(|user| _ = command.arg(user.as_str()));
        let is_online: Vec<bool> = self.link.query(&command).await?;
        Ok(users.iter().zip(is_online).filter(|(_, online)| *online).map(|(user, _)| user.clone()).collect())
    }

    async fn online(&self) -> StoreResult<Vec<UserId>> {
        let ids: Vec<String> = self.link.query(cmd("SMEMBERS").arg(&self.keys.online)).await?;
        Ok(ids.into_iter().map(UserId::trusted).collect())
    }

    async fn count(&self) -> StoreResult<u64> {
        self.link.query(cmd("SCARD").arg(&self.keys.online)).await
    }

    /// The connections themselves are the truth: first the indexes and the set learn of all of them, then
    /// forget what is no connection any more. Page by page; each case is decided by one script, so that a
    /// connect in between is never undone, and no script keeps the server busy for long.
    async fn reconcile(&self, now: Time) -> StoreResult<Vec<UserId>> {
        self.mend_lines().await?;
        self.mend_index().await?;
        self.mend_absent(now).await
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
        let times: Vec<Option<i64>> = self.link.query(&command).await?;
        let left =
            users.iter().zip(times).filter_map(|(user, at)| Some((user.clone(), Time::from_millis(at?))));
        Ok(left.collect())
    }

    async fn unsynced(&self, limit: u32) -> StoreResult<Vec<(UserId, Time)>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = cmd("ZRANGE");
        command.arg(&self.keys.last_seen).arg(0).arg(limit - 1).arg("WITHSCORES");
        let found: Vec<(String, i64)> = self.link.query(&command).await?;
        Ok(found.into_iter().map(|(user, at)| (UserId::trusted(user), Time::from_millis(at))).collect())
    }

    async fn mark_synced(&self, last_seen: &[(UserId, Time)]) -> StoreResult<()> {
        for page in last_seen.chunks(PAGE as usize) {
            let mut script = self.scripts.mark_synced.prepare_invoke();
            script.key(&self.keys.last_seen);
            page.iter().for_each(|(user, at)| _ = script.arg(user.as_str()).arg(at.millis()));
            self.link.script::<()>(&script).await?;
        }
        Ok(())
    }
}

impl Redis {
    async fn mend_lines(&self) -> StoreResult<()> {
        let (keys, mut cursor) = (&self.keys, START.to_owned());
        loop {
            let mut script = self.scripts.mend_lines.prepare_invoke();
            script.key(&keys.connections).key(&keys.pings).key(&keys.leases).key(&keys.attached);
            script.key(&keys.by_user).key(&keys.by_session).key(&keys.online).arg(cursor).arg(PAGE);
            cursor = self.link.script(&script).await?;
            if cursor == START {
                return Ok(());
            }
        }
    }

    async fn mend_index(&self) -> StoreResult<()> {
        let mut low = Some("-".to_owned());
        while let Some(from) = low {
            let mut script = self.scripts.mend_index.prepare_invoke();
            script.key(&self.keys.connections).key(&self.keys.attached).key(&self.keys.by_user);
            low = self.link.script(script.arg(from).arg(PAGE)).await?;
        }
        Ok(())
    }

    async fn mend_absent(&self, now: Time) -> StoreResult<Vec<UserId>> {
        let (mut found, mut cursor) = (Vec::new(), START.to_owned());
        loop {
            let mut script = self.scripts.mend_absent.prepare_invoke();
            script.key(&self.keys.online).key(&self.keys.by_user).key(&self.keys.last_seen);
            script.arg(cursor).arg(PAGE).arg(now.millis());
            let (next, absent): (String, Vec<String>) = self.link.script(&script).await?;
            found.extend(absent.into_iter().map(UserId::trusted));
            if next == START {
                return Ok(found);
            }
            cursor = next;
        }
    }
}
