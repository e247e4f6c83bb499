//! `RateLimits`: one fixed window per key, deleted some time after its end.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use shared::error::RateLimited;
use shared::ports::{RateLimit, RateLimits, StoreResult};
use shared::time::Time;

use crate::Embedded;

/// With fewer keys than this, ended windows are not deleted.
const MIN_SWEEP: usize = 1_024;

struct Window {
    /// Milliseconds since the epoch.
    ends: i64,
    used: u32,
}

#[derive(Default)]
pub(super) struct RateLimitWindows {
    by_key: HashMap<String, Window>,
    /// The number of keys at which ended windows are deleted next.
    sweep_at: usize,
}

#[async_trait]
impl RateLimits for Embedded {
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
        Ok(self.memory.rate_limits().take(key, cost, limit, now.millis()))
    }

    async fn give_back(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<()> {
        self.memory.rate_limits().give_back(key, limit, now.millis());
        Ok(())
    }
}

impl RateLimitWindows {
    fn take(&mut self, key: &str, cost: u32, limit: RateLimit, now: i64) -> Result<(), RateLimited> {
        self.sweep(now);
        let ends = window_end(limit.window, now);
        let window = match self.by_key.get_mut(key) {
            Some(window) => window,
            None => self.by_key.entry(key.to_owned()).or_insert(Window { ends, used: 0 }),
        };
        if window.ends != ends {
            *window = Window { ends, used: 0 };
        }
        let cost = cost.min(limit.count);
        if window.used.saturating_add(cost) > limit.count {
            let millis_left = u64::try_from(ends - now).unwrap_or(0);
            let retry_after_secs = millis_left.div_ceil(1_000).max(1);
            return Err(RateLimited { limit: limit.count, retry_after_secs });
        }
        window.used += cost;
        Ok(())
    }

    fn give_back(&mut self, key: &str, limit: RateLimit, now: i64) {
        let ends = window_end(limit.window, now);
        if let Some(window) = self.by_key.get_mut(key).filter(|window| window.ends == ends) {
            window.used = window.used.saturating_sub(1);
        }
    }

    /// Deletes ended windows each time the number of keys has doubled, so that memory stays proportional to the
    /// number of open windows.
    fn sweep(&mut self, now: i64) {
        if self.by_key.len() >= self.sweep_at.max(MIN_SWEEP) {
            self.by_key.retain(|_, window| window.ends > now);
            self.sweep_at = self.by_key.len() * 2;
        }
    }
}

/// The end of the window that contains `now`. Windows start at multiples of their length since the epoch.
fn window_end(window: Duration, now: i64) -> i64 {
    let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
    now.div_euclid(length).saturating_add(1).saturating_mul(length)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::ports::RateLimit;

    use super::{MIN_SWEEP, RateLimitWindows};

    #[test]
    fn ended_windows_are_deleted_when_the_keys_have_doubled() {
        let limit = RateLimit { count: 1, window: Duration::from_secs(1) };
        let mut windows = RateLimitWindows::default();
        for second in 0..10 {
            for key in 0..MIN_SWEEP {
                assert!(windows.take(&format!("{second}-{key}"), 1, limit, second * 1_000).is_ok());
            }
        }
        assert!(windows.by_key.len() <= 2 * MIN_SWEEP, "{}", windows.by_key.len());
    }
}
