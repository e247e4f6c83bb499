//! `KnownAddresses`: one sorted set per user, scored by the latest login.

use std::time::Duration;

use async_trait::async_trait;
use redis::cmd;
use shared::id::UserId;
use shared::ports::{KnownAddresses, StoreResult};
use shared::time::Time;

use crate::Redis;

/// The most addresses kept per user.
const MOST: i64 = 20;

/// How long the addresses of a user who does not log in are kept.
const TTL: Duration = Duration::from_secs(90 * 24 * 3600);

#[async_trait]
impl KnownAddresses for Redis {
    async fn remember(&self, user: &UserId, address: &str, now: Time) -> StoreResult<()> {
        let key = self.keys.addresses(user);
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("ZADD").arg(&key).arg("GT").arg(now.millis()).arg(address).ignore();
        pipe.cmd("ZREMRANGEBYRANK").arg(&key).arg(0).arg(-1 - MOST).ignore();
        pipe.cmd("EXPIRE").arg(&key).arg(TTL.as_secs()).ignore();
        self.server.pipe(&pipe).await
    }

    async fn knows(&self, user: &UserId, address: &str) -> StoreResult<bool> {
        let score: Option<i64> =
            self.server.query(cmd("ZSCORE").arg(self.keys.addresses(user)).arg(address)).await?;
        Ok(score.is_some())
    }

    async fn forget(&self, user: &UserId) -> StoreResult<()> {
        self.server.query(cmd("DEL").arg(self.keys.addresses(user))).await
    }
}
