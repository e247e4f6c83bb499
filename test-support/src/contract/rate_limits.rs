//! Cases of `RateLimits`.

use std::sync::Arc;
use std::time::Duration;

use shared::error::RateLimited;
use shared::ports::{RateLimit, RateLimits};
use shared::time::Time;

use super::{Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_true};

type Subject = Arc<dyn RateLimits>;

const MINUTE: u64 = 60;

/// Every case of [`RateLimits`].
pub fn rate_limits() -> Vec<Case<Subject>> {
    cases![
        calls_over_the_limit_are_refused,
        next_window_starts_with_a_full_count,
        call_passes_after_the_reported_wait,
        keys_are_counted_separately,
        zero_means_no_limit,
        fifty_concurrent_calls_share_one_window,
        given_back_calls_are_not_counted,
    ]
}

/// World times are whole days, so every minute begins with them.
async fn take(limits: &Subject, key: &str, count: u32, now: Time) -> Result<Option<RateLimited>, Failure> {
    let limit = RateLimit { count, window: Duration::from_secs(MINUTE) };
    Ok(limits.take(key, limit, now).await?.err())
}

async fn calls_over_the_limit_are_refused(limits: Subject, data: CaseData) -> Outcome {
    for second in 0..3 {
        expect_eq(take(&limits, &data.tag, 3, data.after(second)).await?, None)?;
    }
    for (second, left) in [(3, 57), (30, 30), (59, 1)] {
        let limited = RateLimited { limit: 3, retry_after_secs: left };
        expect_eq(take(&limits, &data.tag, 3, data.after(second)).await?, Some(limited))?;
    }
    let last = data.after(MINUTE) - Duration::from_millis(1);
    expect_eq(take(&limits, &data.tag, 3, last).await?, Some(RateLimited { limit: 3, retry_after_secs: 1 }))
}

async fn next_window_starts_with_a_full_count(limits: Subject, data: CaseData) -> Outcome {
    for window in 0..3 {
        let now = data.after(window * MINUTE + 59);
        expect_eq(take(&limits, &data.tag, 1, now).await?, None)?;
        expect_true(take(&limits, &data.tag, 1, now).await?.is_some(), "the window is used up")?;
    }
    Ok(())
}

async fn call_passes_after_the_reported_wait(limits: Subject, data: CaseData) -> Outcome {
    let now = data.after(17);
    expect_eq(take(&limits, &data.tag, 1, now).await?, None)?;
    let Some(limited) = take(&limits, &data.tag, 1, now).await? else { return expect_true(false, "limited") };
    expect_true((1..=MINUTE).contains(&limited.retry_after_secs), "at least 1 and at most the window")?;
    let later = now + Duration::from_secs(limited.retry_after_secs);
    expect_eq(take(&limits, &data.tag, 1, later).await?, None)
}

async fn keys_are_counted_separately(limits: Subject, data: CaseData) -> Outcome {
    for key in ["a", "b", "a:b", "{a}"] {
        let key = format!("{key}:{}", data.tag);
        expect_eq(take(&limits, &key, 1, data.now).await?, None)?;
        expect_true(take(&limits, &key, 1, data.now).await?.is_some(), "the key is used up")?;
    }
    Ok(())
}

async fn zero_means_no_limit(limits: Subject, data: CaseData) -> Outcome {
    for _ in 0..100 {
        expect_eq(take(&limits, &data.tag, 0, data.now).await?, None)?;
    }
    Ok(())
}

async fn fifty_concurrent_calls_share_one_window(limits: Subject, data: CaseData) -> Outcome {
    let answers =
        concurrently(50, |_| {
            let (limits, key, now) = (Arc::clone(&limits), data.tag.clone(), data.now);
            async move {
                limits.take(&key, RateLimit { count: 10, window: Duration::from_secs(MINUTE) }, now).await
            }
        })
        .await?;
    expect_eq(answers.iter().filter(|answer| answer.is_ok()).count(), 10)
}

async fn given_back_calls_are_not_counted(limits: Subject, data: CaseData) -> Outcome {
    let limit = RateLimit { count: 2, window: Duration::from_secs(MINUTE) };
    // None is taken yet, so nothing is given back.
    limits.give_back(&data.tag, limit, data.now).await?;
    for _ in 0..5 {
        expect_eq(take(&limits, &data.tag, 2, data.now).await?, None)?;
        limits.give_back(&data.tag, limit, data.now).await?;
    }
    for _ in 0..2 {
        expect_eq(take(&limits, &data.tag, 2, data.now).await?, None)?;
    }
    // The previous window has ended.
    limits.give_back(&data.tag, limit, data.before(1)).await?;
    expect_true(take(&limits, &data.tag, 2, data.now).await?.is_some(), "the window is used up")?;
    limits.give_back(&data.tag, RateLimit { count: 0, ..limit }, data.now).await?;
    Ok(())
}
