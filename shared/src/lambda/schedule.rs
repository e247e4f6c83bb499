//! The schedule door: EventBridge and EventBridge Scheduler events. `now` is the time that the schedule
//! was for, not the time that the function got to it, so that a run can be repeated for any instant.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Entry, broken_event, raw};
use crate::error::Error;
use crate::id::Entropy;
use crate::time::Time;

/// One firing.
#[derive(Debug, Clone)]
pub struct Tick {
    /// The invocation's request id.
    pub id: String,
    /// The scheduled time.
    pub now: Time,
    /// Where randomness comes from.
    pub entropy: Entropy,
    /// How long the function may run from now on; `None` where nobody said.
    pub budget: Option<Duration>,
}

#[derive(Deserialize)]
struct Event {
    time: Time,
}

/// Puts a handler behind the schedule door. What it returns is the invocation's reply; an error fails the
/// invocation, which Lambda then repeats.
pub fn schedule<H, F, R>(handle: H) -> Entry
where
    H: Fn(Tick) -> F + Send + Sync + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
    R: Serialize,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let (event, context) = event.into_parts();
            let Event { time } = serde_json::from_str(event.get()).map_err(|e| broken_event(&e))?;
            let budget = budget(context.deadline);
            let tick = Tick { id: context.request_id, now: time, entropy: Entropy::default(), budget };
            let id = tick.id.clone();
            let report = handle(tick).await.map_err(|error| super::failed(&error, &id))?;
            raw(&report)
        })
    })
}

/// What is left until a deadline in milliseconds since the Unix epoch; 0 is none.
fn budget(deadline_ms: u64) -> Option<Duration> {
    let now = u64::try_from(super::clock().millis()).unwrap_or(0);
    (deadline_ms > 0).then(|| Duration::from_millis(deadline_ms.saturating_sub(now)))
}
