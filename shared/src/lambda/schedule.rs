//! The entry point for schedules: EventBridge and EventBridge Scheduler events. `now` is the scheduled time,
//! not the time of the invocation, so that a run can be repeated for any instant.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;

use serde::{Deserialize, Serialize};
use tokio::time::{Sleep, sleep};

use super::{Entry, invalid_event, raw};
use crate::error::Error;
use crate::id::Entropy;
use crate::time::Time;

/// One run of a schedule.
#[derive(Debug, Clone)]
pub struct ScheduledRun {
    /// The invocation's request id.
    pub id: String,
    /// The scheduled time.
    pub now: Time,
    pub entropy: Entropy,
    /// How long the function may run, counted from the start of the invocation; `None` without a deadline.
    pub budget: Option<Duration>,
}

impl ScheduledRun {
    /// A timer for the part of the run that repeats: the run's budget minus `reserve` for the work that
    /// follows, at most `longest`. Without a deadline it is `longest`.
    pub fn time_budget(&self, reserve: Duration, longest: Duration) -> TimeBudget {
        let length = self.budget.map_or(longest, |budget| budget.saturating_sub(reserve).min(longest));
        TimeBudget { end: Box::pin(sleep(length)), is_empty: length.is_zero() }
    }
}

/// Tells a run that works in batches when to stop. It uses tokio's clock, which tests can pause.
pub struct TimeBudget {
    end: Pin<Box<Sleep>>,
    is_empty: bool,
}

impl TimeBudget {
    /// Whether the time is used up.
    pub fn is_over(&mut self) -> bool {
        self.is_empty || self.end.as_mut().now_or_never().is_some()
    }
}

#[derive(Deserialize)]
struct Event {
    time: Time,
}

/// Makes a handler of scheduled runs a Lambda function. The handler's report is the reply; an error fails the
/// invocation, and Lambda retries it.
pub fn schedule<H, F, R>(handle: H) -> Entry
where
    H: Fn(ScheduledRun) -> F + Send + Sync + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
    R: Serialize,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let (event, context) = event.into_parts();
            let Event { time } = serde_json::from_str(event.get()).map_err(|e| invalid_event(&e))?;
            let budget = super::budget(context.deadline);
            let run = ScheduledRun { id: context.request_id, now: time, entropy: Entropy::default(), budget };
            let id = run.id.clone();
            let report = super::within_deadline(context.deadline, handle(run))
                .await
                .map_err(|error| super::failed(&error, &id))?;
            raw(&report)
        })
    })
}
