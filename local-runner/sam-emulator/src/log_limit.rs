//! A limit on log lines that clients cause, so that no client can flood the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// Admits a number of lines per minute and counts the others.
#[derive(Debug)]
pub(crate) struct LogLimit {
    per_minute: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    admitted: u32,
    suppressed: u64,
}

impl LogLimit {
    pub(crate) fn new(per_minute: u32) -> Self {
        let window = Window { began: Instant::now(), admitted: 0, suppressed: 0 };
        Self { per_minute, window: Mutex::new(window) }
    }

    /// Whether a line may be written now; the value is the number of lines suppressed since the last one.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(window.began) >= WINDOW {
            (window.began, window.admitted) = (now, 0);
        }
        if window.admitted == self.per_minute {
            window.suppressed += 1;
            return None;
        }
        window.admitted += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::LogLimit;

    #[test]
    fn lines_beyond_the_limit_of_a_minute_are_counted_and_reported_with_the_next_one() {
        let limit = LogLimit::new(2);
        let start = Instant::now();
        let at = |seconds| limit.admit_at(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(2), at(59)], [Some(0), Some(0), None, None]);
        assert_eq!([at(61), at(62), at(63)], [Some(2), Some(0), None]);
    }
}
