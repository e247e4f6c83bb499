//! The schedules of a plan as values: what is due between two instants, what was missed, what comes next.
//! Pure: every instant is an input.

use std::iter::successors;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::event::{Place, event};
use super::expression::{Expression, InvalidExpression};
use super::state::State;
use crate::plan::{ScheduleKind, SchedulePlan};

/// Both services promise a firing within the minute; a run that is later than this was missed.
const PRECISION: SignedDuration = SignedDuration::from_secs(60);

/// Missed runs are counted up to here: "a lot" needs no exact figure.
pub const MOST_MISSED: usize = 10_000;

/// Why a plan's schedule cannot run. Each message names the schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression is not one the service takes.
    #[error("schedule {name}: {source}")]
    Expression {
        /// The schedule's name.
        name: String,
        /// The service's words.
        source: InvalidExpression,
    },
    /// `ScheduleExpressionTimezone` is not an IANA name.
    #[error("schedule {name}: Invalid Schedule Expression Timezone {timezone}.")]
    Timezone {
        /// The schedule's name.
        name: String,
        /// The time zone as written.
        timezone: String,
    },
    /// `Input` must be JSON for a Lambda target.
    #[error("schedule {name}: Input is not JSON: {reason}")]
    Input {
        /// The schedule's name.
        name: String,
        /// The JSON parser's words.
        reason: String,
    },
}

/// One firing to carry out.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The schedule.
    pub plan: SchedulePlan,
    /// The scheduled time, which is the event's `time`.
    pub at: Timestamp,
}

/// Runs of one schedule that did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The schedule's name.
    pub schedule: String,
    /// Its function.
    pub function: String,
    /// How many, counted up to [`MOST_MISSED`].
    pub count: usize,
    /// The latest of them.
    pub last: Timestamp,
}

/// The coming runs of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRuns {
    /// The schedule's name.
    pub schedule: String,
    /// Its function.
    pub function: String,
    /// The expression as written.
    pub expression: String,
    /// The time zone it is read in.
    pub timezone: String,
    /// False when the template disables it; `runs` is empty then.
    pub enabled: bool,
    /// The instants, soonest first.
    pub runs: Vec<Timestamp>,
}

/// What a stretch of time asks for.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// To fire now, at most one per schedule, in scheduled order.
    pub fire: Vec<Firing>,
    /// Too late to fire: the machine slept through them.
    pub missed: Vec<Missed>,
}

/// All schedules of a plan, parsed.
#[derive(Debug, Clone)]
pub struct Schedules {
    entries: Vec<Entry>,
    opened: Timestamp,
}

#[derive(Debug, Clone)]
struct Entry {
    plan: SchedulePlan,
    expression: Expression,
    zone: TimeZone,
    since: Timestamp,
    last_fired: Option<Timestamp>,
}

impl Schedules {
    /// Parses every schedule, disabled ones too, and learns from `state` when each was created and last
    /// fired. A schedule that `state` does not know, or knows with another expression, is created `now`.
    ///
    /// # Errors
    /// The first schedule that its service would refuse.
    pub fn new(plans: Vec<SchedulePlan>, state: &mut State, now: Timestamp) -> Result<Self, ScheduleError> {
        state.keep(|name| plans.iter().any(|plan| plan.name == name));
        let entries = plans.into_iter().map(|plan| Entry::new(plan, state, now)).collect::<Result<_, _>>()?;
        Ok(Self { entries, opened: now })
    }

    /// The instant these schedules were opened at: what came before may be missed, what comes after fires.
    #[must_use]
    pub fn opened(&self) -> Timestamp {
        self.opened
    }

    /// The next firing of any enabled schedule after `after`.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.enabled().filter_map(|entry| entry.next_after(after)).min()
    }

    /// What the stretch after `from` up to and including `to` asks for.
    #[must_use]
    pub fn due(&self, from: Timestamp, to: Timestamp) -> Due {
        let mut due = Due::default();
        for entry in self.enabled() {
            let Some(last) = entry.last_run(from, to) else { continue };
            let in_time = to.duration_since(last) <= PRECISION;
            let missed_until = if in_time { last - SignedDuration::from_secs(1) } else { to };
            due.missed.extend(entry.missed(from, missed_until));
            if in_time {
                due.fire.push(Firing { plan: entry.plan.clone(), at: last });
            }
        }
        due.fire.sort_by_key(|firing| firing.at);
        due
    }

    /// The runs between each schedule's last firing (or creation) and the opening.
    #[must_use]
    pub fn missed(&self) -> Vec<Missed> {
        self.enabled()
            .filter_map(|entry| entry.missed(entry.last_fired.unwrap_or(entry.since), self.opened))
            .collect()
    }

    /// The next `count` runs after `after` of every schedule, in template order.
    #[must_use]
    pub fn next_runs(&self, after: Timestamp, count: usize) -> Vec<NextRuns> {
        self.entries.iter().map(|entry| entry.next_runs(after, count)).collect()
    }

    fn enabled(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.plan.enabled)
    }
}

impl Entry {
    fn new(plan: SchedulePlan, state: &mut State, now: Timestamp) -> Result<Self, ScheduleError> {
        let name = || plan.name.clone();
        let expression = Expression::parse(&plan.expression, plan.kind)
            .map_err(|source| ScheduleError::Expression { name: name(), source })?;
        // A rule is in UTC whatever the template says.
        let zone = match plan.kind {
            ScheduleKind::Rule => TimeZone::UTC,
            ScheduleKind::Scheduler => TimeZone::get(&plan.timezone)
                .map_err(|_| ScheduleError::Timezone { name: name(), timezone: plan.timezone.clone() })?,
        };
        if plan.input.is_some() {
            serde_json::from_str::<serde::de::IgnoredAny>(&event(&plan, now, &Place::default(), "0"))
                .map_err(|reason| ScheduleError::Input { name: name(), reason: reason.to_string() })?;
        }
        let (since, last_fired) = state.observe(&plan, now);
        Ok(Self { plan, expression, zone, since, last_fired })
    }

    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.expression.next_after(after, &self.zone, self.since)
    }

    fn runs(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        successors(self.next_after(after), |run| self.next_after(*run))
    }

    /// The last run after `from` up to `to`, by bisection: the next run never lies earlier for a later
    /// start, so a year of missed minutes costs some thirty steps.
    fn last_run(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let run_by = |after: Timestamp| self.next_after(after).filter(|run| *run <= to);
        let mut last = run_by(from)?;
        let (mut low, mut high) = (last.as_second(), to.as_second());
        while low < high {
            let middle = low + (high - low + 1) / 2;
            // Runs are whole seconds, so "not before `middle`" is "after the second before it".
            match Timestamp::from_second(middle - 1).ok().and_then(run_by) {
                Some(run) => (last, low) = (run, run.as_second()),
                None => high = middle - 1,
            }
        }
        Some(last)
    }

    fn missed(&self, from: Timestamp, to: Timestamp) -> Option<Missed> {
        let last = self.last_run(from, to)?;
        let count = self.runs(from).take_while(|run| *run <= last).take(MOST_MISSED).count();
        Some(Missed { schedule: self.plan.name.clone(), function: self.plan.function.clone(), count, last })
    }

    fn next_runs(&self, after: Timestamp, count: usize) -> NextRuns {
        let count = if self.plan.enabled { count } else { 0 };
        let timezone = self.zone.iana_name().unwrap_or("UTC").to_owned();
        NextRuns {
            schedule: self.plan.name.clone(),
            function: self.plan.function.clone(),
            expression: self.plan.expression.clone(),
            timezone,
            enabled: self.plan.enabled,
            runs: self.runs(after).take(count).collect(),
        }
    }
}
