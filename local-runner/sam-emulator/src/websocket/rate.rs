//! The limit on new connections per second.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// A bucket that refills evenly and holds one second's worth.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    /// When it was last looked at, and what was in it then.
    bucket: Mutex<(Instant, f64)>,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, bucket: Mutex::new((Instant::now(), per_second)) }
    }

    /// Whether one more may pass at `now`.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, left) = *bucket;
        let refill = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        let left = (left + refill).min(self.per_second);
        let admits = left >= 1.0;
        *bucket = (now.max(since), if admits { left - 1.0 } else { left });
        admits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Instant, Rate};

    #[test]
    fn a_second_holds_so_many_and_refills() {
        let (rate, start) = (Rate::new(3), Instant::now());
        let at = |ms| rate.admits(start + Duration::from_millis(ms));
        let passed = [0, 0, 0, 0, 340, 340, 5_000, 5_000, 5_000, 5_000].map(at);
        assert_eq!(passed, [true, true, true, false, true, false, true, true, true, false]);
    }
}
