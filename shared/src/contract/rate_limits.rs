//! `RateLimits`.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, Failure, Outcome, World, at_once, cases, same, yes};
use crate::error::RateLimited;
use crate::ports::{RateLimit, RateLimits};
use crate::time::Time;

type Subject = Arc<dyn RateLimits>;

const MINUTE: u64 = 60;

/// Every case of [`RateLimits`].
pub fn rate_limits() -> Vec<Case<Subject>> {
    cases![
        so_many_pass_and_no_more,
        the_next_window_starts_afresh,
        waiting_as_told_is_enough,
        keys_know_nothing_of_each_other,
        zero_is_no_limit,
        fifty_at_once_share_one_window,
    ]
}

/// World times are whole days, so every minute begins with them.
async fn take(limits: &Subject, key: &str, count: u32, now: Time) -> Result<Option<RateLimited>, Failure> {
    let limit = RateLimit { count, window: Duration::from_secs(MINUTE) };
    Ok(limits.take(key, limit, now).await?.err())
}

async fn so_many_pass_and_no_more(limits: Subject, world: World) -> Outcome {
    for second in 0..3 {
        same(take(&limits, &world.tag, 3, world.after(second)).await?, None)?;
    }
    for (second, left) in [(3, 57), (30, 30), (59, 1)] {
        let limited = RateLimited { limit: 3, retry_after_secs: left };
        same(take(&limits, &world.tag, 3, world.after(second)).await?, Some(limited))?;
    }
    let last = world.after(MINUTE) - Duration::from_millis(1);
    same(take(&limits, &world.tag, 3, last).await?, Some(RateLimited { limit: 3, retry_after_secs: 1 }))
}

async fn the_next_window_starts_afresh(limits: Subject, world: World) -> Outcome {
    for window in 0..3 {
        let now = world.after(window * MINUTE + 59);
        same(take(&limits, &world.tag, 1, now).await?, None)?;
        yes(take(&limits, &world.tag, 1, now).await?.is_some(), "the window is used up")?;
    }
    Ok(())
}

async fn waiting_as_told_is_enough(limits: Subject, world: World) -> Outcome {
    let now = world.after(17);
    same(take(&limits, &world.tag, 1, now).await?, None)?;
    let Some(limited) = take(&limits, &world.tag, 1, now).await? else { return yes(false, "limited") };
    yes((1..=MINUTE).contains(&limited.retry_after_secs), "at least 1 and at most the window")?;
    let later = now + Duration::from_secs(limited.retry_after_secs);
    same(take(&limits, &world.tag, 1, later).await?, None)
}

async fn keys_know_nothing_of_each_other(limits: Subject, world: World) -> Outcome {
    for key in ["a", "b", "a:b", "{a}"] {
        let key = format!("{key}:{}", world.tag);
        same(take(&limits, &key, 1, world.now).await?, None)?;
        yes(take(&limits, &key, 1, world.now).await?.is_some(), "the key is used up")?;
    }
    Ok(())
}

async fn zero_is_no_limit(limits: Subject, world: World) -> Outcome {
    for _ in 0..100 {
        same(take(&limits, &world.tag, 0, world.now).await?, None)?;
    }
    Ok(())
}

async fn fifty_at_once_share_one_window(limits: Subject, world: World) -> Outcome {
    let answers =
        at_once(50, |_| {
            let (limits, key, now) = (Arc::clone(&limits), world.tag.clone(), world.now);
            async move {
                limits.take(&key, RateLimit { count: 10, window: Duration::from_secs(MINUTE) }, now).await
            }
        })
        .await?;
    same(answers.iter().filter(|answer| answer.is_ok()).count(), 10)
}
