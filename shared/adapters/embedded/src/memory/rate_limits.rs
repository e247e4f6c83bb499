//! `RateLimits`: fixed windows, forgotten once they are over.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use shared::error::RateLimited;
use shared::ports::{RateLimit, RateLimits, StoreResult};
use shared::time::Time;

use crate::Embedded;

/// Below so many keys nobody sweeps.
const FEW: usize = 1_024;

/// One key's window.
struct Window {
    ends: i64,
    taken: u32,
}

#[derive(Default)]
pub(super) struct Windows {
    by_key: HashMap<String, Window>,
    sweep_at: usize,
}

#[async_trait]
impl RateLimits for Embedded {
    async fn take(&self, key: &str, limit: RateLimit, now: Time) -> StoreResult<Result<(), RateLimited>> {
        if limit.count == 0 {
            return Ok(Ok(()));
        }
        Ok(self.memory.windows().take(key, limit, now.millis()))
    }
}

impl Windows {
    fn take(&mut self, key: &str, limit: RateLimit, now: i64) -> Result<(), RateLimited> {
        self.sweep(now);
        let ends = window_end(limit.window, now);
        let window = match self.by_key.get_mut(key) {
            Some(window) => window,
            None => self.by_key.entry(key.to_owned()).or_insert(Window { ends, taken: 0 }),
        };
        if window.ends != ends {
            *window = Window { ends, taken: 0 };
        }
        if window.taken >= limit.count {
            let left = u64::try_from(ends - now).unwrap_or(0);
            return Err(RateLimited { limit: limit.count, retry_after_secs: left.div_ceil(1_000).max(1) });
        }
        window.taken += 1;
        Ok(())
    }

    /// Each time the keys have doubled, those whose window is over go: bounded by what is really limited.
    fn sweep(&mut self, now: i64) {
        if self.by_key.len() >= self.sweep_at.max(FEW) {
            self.by_key.retain(|_, window| window.ends > now);
            self.sweep_at = self.by_key.len() * 2;
        }
    }
}

/// The end of the window, counted from the epoch, that `now` lies in.
fn window_end(window: Duration, now: i64) -> i64 {
    let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
    now.div_euclid(length).saturating_add(1).saturating_mul(length)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::ports::RateLimit;

    use super::{FEW, Windows};

    #[test]
    fn windows_that_are_over_are_forgotten() {
        let limit = RateLimit { count: 1, window: Duration::from_secs(1) };
        let mut windows = Windows::default();
        for second in 0..10 {
            for key in 0..FEW {
                assert!(windows.take(&format!("{second}-{key}"), limit, second * 1_000).is_ok());
            }
        }
        assert!(windows.by_key.len() <= 2 * FEW, "{}", windows.by_key.len());
    }
}
