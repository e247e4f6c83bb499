//! The schedules of a plan: which runs are due between two instants, which were missed, which come next.
//! Every instant is an input.

use std::iter::successors;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::event;
use super::expression::{Expression, InvalidExpression};
use super::state::ScheduleState;
use crate::plan::{Account, ScheduleKind, SchedulePlan};

/// Both services start a run within a minute of its time. A run that is later than this counts as missed.
const MAX_LATENESS: SignedDuration = SignedDuration::from_secs(60);

/// Missed runs are counted up to this number, so that years of missed minutes cost little.
pub const MAX_MISSED: usize = 10_000;

/// Why a schedule cannot run. The text names the schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The service would refuse the expression.
    #[error("schedule {name}: {source}")]
    Expression {
        /// The schedule's name.
        name: String,
        /// The expression, in the service's error text.
        source: InvalidExpression,
    },
    /// `ScheduleExpressionTimezone` is not an IANA name.
    #[error("schedule {name}: Invalid Schedule Expression Timezone {timezone}.")]
    Timezone {
        /// The schedule's name.
        name: String,
        /// The text of the template.
        timezone: String,
    },
    /// `Input` is not JSON, which a Lambda target requires.
    #[error("schedule {name}: Input is not JSON: {reason}")]
    Input {
        /// The schedule's name.
        name: String,
        /// The error of the JSON parser.
        reason: String,
    },
}

/// One run that is due.
#[derive(Debug, Clone)]
pub struct DueRun {
    /// The schedule of the run.
    pub plan: SchedulePlan,
    /// The scheduled time: the event's `time`.
    pub at: Timestamp,
}

/// Runs of one schedule that did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedRuns {
    /// The schedule's name.
    pub schedule: String,
    /// The name of the schedule's function.
    pub function: String,
    /// The number of runs, counted up to [`MAX_MISSED`].
    pub count: usize,
    /// The scheduled time of the latest run.
    pub last: Timestamp,
}

/// The next runs of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRuns {
    /// The schedule's name.
    pub schedule: String,
    /// The name of the schedule's function.
    pub function: String,
    /// The expression as the template has it.
    pub expression: String,
    /// The IANA name of the time zone.
    pub timezone: String,
    /// False when the template disables the schedule; `runs` is empty then.
    pub enabled: bool,
    /// The scheduled times, soonest first.
    pub runs: Vec<Timestamp>,
}

/// The runs of a period of time.
#[derive(Debug, Clone, Default)]
pub struct DueRuns {
    /// Runs to start now: at most one per schedule, by scheduled time.
    pub runs: Vec<DueRun>,
    /// Runs that are too late to start, because the machine was suspended.
    pub missed: Vec<MissedRuns>,
}

/// The parsed schedules of a plan.
#[derive(Debug, Clone)]
pub struct Schedules {
    schedules: Vec<Schedule>,
    opened: Timestamp,
}

#[derive(Debug, Clone)]
struct Schedule {
    plan: SchedulePlan,
    expression: Expression,
    zone: TimeZone,
    since: Timestamp,
    /// From when a rate counts: the start date, or the creation.
    origin: Timestamp,
    last_fired: Option<Timestamp>,
}

impl Schedules {
    /// Parses every schedule, disabled ones too, and takes its creation and last run from `state`. A schedule
    /// that `state` does not have, or has with another expression, is created `now`.
    ///
    /// # Errors
    /// The first schedule that its service would refuse.
    pub fn new(
        plans: Vec<SchedulePlan>,
        state: &mut ScheduleState,
        now: Timestamp,
    ) -> Result<Self, ScheduleError> {
        state.retain(|name| plans.iter().any(|plan| plan.name == name));
        let schedules = plans.into_iter().map(|plan| Schedule::new(plan, state, now));
        Ok(Self { schedules: schedules.collect::<Result<_, _>>()?, opened: now })
    }

    /// The `now` of [`Schedules::new`]. Runs before it may be missed; runs after it will be started.
    #[must_use]
    pub fn opened(&self) -> Timestamp {
        self.opened
    }

    /// The time of the next run of any enabled schedule after `after`.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.enabled().filter_map(|schedule| schedule.next_after(after)).min()
    }

    /// The runs after `from`, up to and including `to`.
    #[must_use]
    pub fn due(&self, from: Timestamp, to: Timestamp) -> DueRuns {
        let mut due = DueRuns::default();
        for schedule in self.enabled() {
            let Some(last) = schedule.last_run(from, to) else { continue };
            let in_time = to.duration_since(last) <= MAX_LATENESS;
            let missed_until = if in_time { last - SignedDuration::from_secs(1) } else { to };
            due.missed.extend(schedule.missed(from, missed_until));
            if in_time {
                due.runs.push(DueRun { plan: schedule.plan.clone(), at: last });
            }
        }
        due.runs.sort_by_key(|run| run.at);
        due
    }

    /// The runs of every enabled schedule since its last run, or since its creation, up to
    /// [`Schedules::opened`].
    #[must_use]
    pub fn missed(&self) -> Vec<MissedRuns> {
        self.enabled()
            .filter_map(|schedule| {
                schedule.missed(schedule.last_fired.unwrap_or(schedule.since), self.opened)
            })
            .collect()
    }

    /// The next `count` runs after `after` of every schedule, in template order.
    #[must_use]
    pub fn next_runs(&self, after: Timestamp, count: usize) -> Vec<NextRuns> {
        self.schedules.iter().map(|schedule| schedule.next_runs(after, count)).collect()
    }

    fn enabled(&self) -> impl Iterator<Item = &Schedule> {
        self.schedules.iter().filter(|schedule| schedule.plan.enabled)
    }
}

impl Schedule {
    fn new(plan: SchedulePlan, state: &mut ScheduleState, now: Timestamp) -> Result<Self, ScheduleError> {
        let name = || plan.name.clone();
        let expression = Expression::parse(&plan.expression, plan.kind)
            .map_err(|source| ScheduleError::Expression { name: name(), source })?;
        // EventBridge rules have no time zone: they run in UTC.
        let zone = match plan.kind {
            ScheduleKind::Rule => TimeZone::UTC,
            ScheduleKind::Scheduler => TimeZone::get(&plan.timezone)
                .map_err(|_| ScheduleError::Timezone { name: name(), timezone: plan.timezone.clone() })?,
        };
        if plan.input.is_some() {
            serde_json::from_str::<serde::de::IgnoredAny>(&event::build(
                &plan,
                now,
                &Account::default(),
                "0",
            ))
            .map_err(|reason| ScheduleError::Input { name: name(), reason: reason.to_string() })?;
        }
        let (since, last_fired) = state.find_or_create(&plan, now);
        let origin = plan.start.unwrap_or(since);
        Ok(Self { plan, expression, zone, since, origin, last_fired })
    }

    /// The first run after `after`. A flexible time window has no effect: the run is at its start. A one-time
    /// schedule ignores the dates (Scheduler API reference, `CreateSchedule`).
    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let (start, end) = match self.expression {
            Expression::At(_) => (None, None),
            _ => (self.plan.start, self.plan.end),
        };
        let before_start = start.map(|start| start - SignedDuration::from_secs(1));
        let after = before_start.map_or(after, |before_start| before_start.max(after));
        let run = self.expression.next_after(after, &self.zone, self.origin)?;
        end.is_none_or(|end| run <= end).then_some(run)
    }

    fn runs(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        successors(self.next_after(after), |run| self.next_after(*run))
    }

    /// The last run after `from`, up to and including `to`. It bisects, because a later start never has an
    /// earlier next run: a year of missed minutes costs about thirty steps.
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

    fn missed(&self, from: Timestamp, to: Timestamp) -> Option<MissedRuns> {
        let last = self.last_run(from, to)?;
        let count = self.runs(from).take_while(|run| *run <= last).take(MAX_MISSED).count();
        Some(MissedRuns {
            schedule: self.plan.name.clone(),
            function: self.plan.function.clone(),
            count,
            last,
        })
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
