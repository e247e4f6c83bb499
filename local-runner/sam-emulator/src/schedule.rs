//! Schedules: EventBridge rules (SAM `Schedule`) and EventBridge Scheduler (SAM `ScheduleV2`).
//!
//! In the order of reading: [`Expression`] computes run times, [`Schedules`] what is due and what was missed,
//! [`event`] builds the function's input, [`Trigger`] sleeps and invokes, [`ScheduleState`] stores the last
//! run of each schedule, [`fire`](fire::fire) runs one on request, [`manual`] records such runs.

pub mod at;
pub mod cron;
pub mod event;
pub mod expression;
pub mod fire;
pub mod manual;
pub mod rate;
pub mod schedules;
pub mod state;
pub mod trigger;
mod zone;

pub use expression::{Expression, InvalidExpression};
pub use fire::{UnknownSchedule, find, fire};
pub use manual::{ManualRun, ManualRunEndpoint};
pub use schedules::{DueRun, DueRuns, MissedRuns, NextRuns, ScheduleError, Schedules};
pub use state::{ScheduleState, ScheduleStateError};
pub use trigger::{Clock, InvokeAsync, SystemClock, Trigger};
