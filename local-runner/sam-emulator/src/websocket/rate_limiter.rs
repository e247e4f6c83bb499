//! The limit on new connections per second.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// A token bucket that holds one second's worth of tokens and refills evenly.
#[derive(Debug)]
pub(super) struct RateLimiter {
    per_second: f64,
    /// The time of the last call, and the tokens at that time.
    bucket: Mutex<(Instant, f64)>,
}

impl RateLimiter {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, bucket: Mutex::new((Instant::now(), per_second)) }
    }

    /// Takes one token; false when there is none at `now`.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, tokens) = *bucket;
        let refill = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        let tokens = (tokens + refill).min(self.per_second);
        let admits = tokens >= 1.0;
        *bucket = (now.max(since), if admits { tokens - 1.0 } else { tokens });
        admits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Instant, RateLimiter};

    #[test]
    fn the_limiter_admits_one_seconds_worth_and_refills_evenly() {
        let (limiter, start) = (RateLimiter::new(3), Instant::now());
        let at = |ms| limiter.admits(start + Duration::from_millis(ms));
        let admitted = [0, 0, 0, 0, 340, 340, 5_000, 5_000, 5_000, 5_000].map(at);
        assert_eq!(admitted, [true, true, true, false, true, false, true, true, true, false]);
    }
}
