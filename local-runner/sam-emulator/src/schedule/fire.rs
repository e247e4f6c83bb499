//! A firing by hand: `local-runner fire <function> [--at RFC3339]`.

use jiff::Timestamp;

use super::clock::invocation;
use super::event::Place;
use super::schedules::Firing;
use crate::invoke::Invocation;
use crate::plan::SchedulePlan;

/// Nothing to fire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no schedule named {target} and none for a function of that name; there are: {}", known.join(", "))]
pub struct FireError {
    /// What was asked for.
    pub target: String,
    /// The functions that have a schedule.
    pub known: Vec<String>,
}

/// The schedule that `target` means: a function, or the name of one schedule when a function has several
/// (its first is taken otherwise). Disabled schedules are found too: the hand decides.
///
/// # Errors
/// [`FireError`], with what could be fired instead.
pub fn find<'a>(plans: &'a [SchedulePlan], target: &str) -> Result<&'a SchedulePlan, FireError> {
    let named = plans.iter().find(|plan| plan.name == target);
    named.or_else(|| plans.iter().find(|plan| plan.function == target)).ok_or_else(|| FireError {
        target: target.to_owned(),
        known: plans.iter().map(|plan| plan.function.clone()).collect(),
    })
}

/// The invocation that a run of `at` of the schedule that `target` means would make.
///
/// # Errors
/// [`FireError`], with what could be fired instead.
pub fn fire(
    plans: &[SchedulePlan],
    target: &str,
    at: Timestamp,
    place: &Place,
) -> Result<Invocation, FireError> {
    Ok(invocation(&Firing { plan: find(plans, target)?.clone(), at }, place))
}
