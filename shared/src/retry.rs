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

#[cfg(test)]
mod tests {
    use super::{RETRY_DELAYS, delay};

    #[test]
    fn delays_grow_until_the_fourth_failure_and_then_stay() {
        let seconds: Vec<u64> = (0..7).map(|attempt| delay(&RETRY_DELAYS, attempt).as_secs()).collect();
        assert_eq!(seconds, [10, 10, 30, 120, 600, 600, 600]);
    }
}
