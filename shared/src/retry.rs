//! The delays before a failed job is retried, and the number of failures that dead-letters it. Every broker uses these.

use std::time::Duration;

/// A job is dead-lettered after this many failures.
pub const MAX_ATTEMPTS: u32 = 5;

/// The wait after the first, second, third and fourth failure.
pub const RETRY_DELAYS: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// The wait after `attempt` failures; further failures wait as long as the fourth.
pub fn delay(delays: &[Duration], attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    delays.get(index).or(delays.last()).copied().unwrap_or_default()
}
