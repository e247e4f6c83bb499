//! `RateLimits`: one counter per key and window; it expires shortly after the window.

use std::time::Duration;

use async_trait::async_trait;
use shared::error::RateLimited;
use shared::ports::{RateLimit, RateLimits, StoreResult};
use shared::time::Time;

use crate::Redis;
use crate::keys::window_start;

/// How long a counter is kept after its window has ended, because callers' clocks differ a little.
const GRACE: Duration = Duration::from_secs(5);

#[async_trait]
impl RateLimits for Redis {
    async fn spend(
        &self,
        key: &str,
        cost: u32,
        limit: RateLimit,
        now: Time,
    ) -> StoreResult<Result<(), RateLimited>> {
        if limit.count == 0 {
            return Ok(Ok(()));
        }
        let start = window_start(now, limit.window);
        let mut script = self.scripts.take.prepare_invoke();
        script.key(self.keys.rate(key, start)).arg(limit.count);
        script.arg(cost.min(limit.count));
        script.arg(u64::try_from((limit.window + GRACE).as_millis()).unwrap_or(u64::MAX));
        if self.server.script::<bool>(&script).await? {
            return Ok(Ok(()));
        }
        let remaining_millis = (start + limit.window).millis().saturating_sub(now.millis());
        let retry_after_secs = u64::try_from(remaining_millis).unwrap_or(0).div_ceil(1_000).max(1);
        Ok(Err(RateLimited { limit: limit.count, retry_after_secs }))
    }

    async fn give_back(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<()> {
        if limit.count == 0 {
            return Ok(());
        }
        let mut script = self.scripts.give_back.prepare_invoke();
        script.key(self.keys.rate(key, window_start(now, limit.window)));
        // No second try: it would give back another one.
        self.server.script_once(&script).await
    }
}
