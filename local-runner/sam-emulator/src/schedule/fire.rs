//! The command `fire`: finds a schedule and builds the invocation of one of its runs.

use jiff::Timestamp;

use super::schedules::DueRun;
use super::trigger::invocation;
use crate::invoke::Invocation;
use crate::plan::{Account, SchedulePlan};

/// No schedule has this name, and no function of this name has a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no schedule named {target}, and no schedule for a function of that name; the scheduled functions are: {}",
    scheduled.join(", "))]
pub struct UnknownSchedule {
    /// The name in the command.
    pub target: String,
    /// The functions that have a schedule, in template order.
    pub scheduled: Vec<String>,
}

/// Finds a schedule by its own name, or else by its function's name. A function with several schedules gives
/// the first. Disabled schedules can be fired manually, so they are found too.
///
/// # Errors
/// [`UnknownSchedule`].
pub fn find<'a>(plans: &'a [SchedulePlan], target: &str) -> Result<&'a SchedulePlan, UnknownSchedule> {
    let by_name = plans.iter().find(|plan| plan.name == target);
    by_name.or_else(|| plans.iter().find(|plan| plan.function == target)).ok_or_else(|| UnknownSchedule {
        target: target.to_owned(),
        scheduled: plans.iter().map(|plan| plan.function.clone()).collect(),
    })
}

/// The invocation of the run of `target` scheduled for `at`.
///
/// # Errors
/// [`UnknownSchedule`].
pub fn fire(
    plans: &[SchedulePlan],
    target: &str,
    at: Timestamp,
    account: &Account,
) -> Result<Invocation, UnknownSchedule> {
    Ok(invocation(&DueRun { plan: find(plans, target)?.clone(), at }, account))
}
