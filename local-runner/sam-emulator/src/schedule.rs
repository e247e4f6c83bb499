//! Schedules: EventBridge rules (SAM `Schedule`) and EventBridge Scheduler (SAM `ScheduleV2`).
//!
//! In the order of reading: [`Expression`] says when, [`Schedules`] what is due and what was missed,
//! [`event`](event::event) what the function receives, [`Trigger`] sleeps and fires, [`State`] remembers
//! the last firings across restarts, [`fire`](fire::fire) fires by hand, [`by_hand`] remembers that too.

pub mod at;
pub mod by_hand;
pub mod clock;
pub mod cron;
pub mod event;
pub mod expression;
pub mod fire;
pub mod rate;
pub mod schedules;
pub mod state;
mod zone;

pub use by_hand::{Fired, FiredMount};
pub use clock::{Clock, InvokeAsync, SystemClock, Trigger};
pub use event::{Place, event};
pub use expression::{Expression, InvalidExpression};
pub use fire::{FireError, find, fire};
pub use schedules::{Due, Firing, Missed, NextRuns, ScheduleError, Schedules};
pub use state::{State, StateError};
