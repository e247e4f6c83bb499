//! The deadline of an invocation. The entry points set it once; every adapter limits its calls by what is left, so that
//! the function still answers for itself before the platform stops it.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// The time that an invocation keeps for its own answer.
const FOR_THE_ANSWER: Duration = Duration::from_millis(500);

/// The invocation has used up its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the invocation's time is used up")]
pub struct TimeIsUp;

/// Runs the work of an invocation that the platform will stop in `budget`, and drops it a little earlier. Without a
/// budget it may take as long as it likes.
///
/// # Errors
/// [`TimeIsUp`].
pub async fn within<F: Future>(budget: Option<Duration>, work: F) -> Result<F::Output, TimeIsUp> {
    let Some(budget) = budget else { return Ok(work.await) };
    let deadline = Instant::now() + budget.saturating_sub(FOR_THE_ANSWER.min(budget / 4));
    DEADLINE.scope(deadline, tokio::time::timeout_at(deadline, work)).await.map_err(|_| TimeIsUp)
}

/// What is left of the current invocation's time; `None` without a deadline.
pub fn remaining() -> Option<Duration> {
    DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now())).ok()
}

/// The longest time for a call that may take `own` at most: less when the invocation ends earlier.
pub fn limit(own: Duration) -> Duration {
    remaining().map_or(own, |remaining| remaining.min(own))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TimeIsUp, limit, remaining, within};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn work_is_dropped_before_the_platform_stops_the_invocation() {
        let late = tokio::time::sleep(Duration::from_millis(9_600));
        assert_eq!(within(Some(10 * SECOND), late).await, Err(TimeIsUp));
        let in_time = tokio::time::sleep(Duration::from_millis(9_400));
        assert_eq!(within(Some(10 * SECOND), in_time).await, Ok(()));
        // A short budget keeps a quarter.
        assert_eq!(within(Some(SECOND), tokio::time::sleep(SECOND * 4 / 5)).await, Err(TimeIsUp));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_limited_by_what_is_left() {
        assert_eq!((remaining(), limit(3 * SECOND)), (None, 3 * SECOND));
        let work = async {
            assert_eq!(limit(3 * SECOND), 3 * SECOND);
            tokio::time::sleep(8 * SECOND).await;
            assert_eq!(limit(3 * SECOND), Duration::from_millis(1_500));
        };
        within(Some(10 * SECOND), work).await.unwrap();
    }
}
