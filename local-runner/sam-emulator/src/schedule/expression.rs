//! A schedule expression in any of its three forms, and the time of its next run.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::at::At;
use super::cron::Cron;
use super::rate::Rate;
use crate::plan::ScheduleKind;

/// Characters of an expression: the limit of both services (EventBridge `PutRule`, Scheduler
/// `CreateSchedule`).
const MAX_LENGTH: usize = 256;

/// The expression is not valid. The text is the services' own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Schedule Expression {0}.")]
pub struct InvalidExpression(pub String);

/// `cron(…)`, `rate(…)` or `at(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `cron(…)`: calendar times.
    Cron(Cron),
    /// `rate(…)`: a fixed period, counted from the schedule's creation.
    Rate(Rate),
    /// `at(…)`: one run. EventBridge Scheduler only.
    At(At),
}

impl Expression {
    /// Parses `text` like the service `kind`. A rule has no `at(…)`, and the unit of its rate must be
    /// singular for 1 and plural otherwise.
    ///
    /// # Errors
    /// [`InvalidExpression`] with `text`.
    pub fn parse(text: &str, kind: ScheduleKind) -> Result<Self, InvalidExpression> {
        Self::read(text, kind).ok_or_else(|| InvalidExpression(text.to_owned()))
    }

    fn read(text: &str, kind: ScheduleKind) -> Option<Self> {
        if text.chars().count() > MAX_LENGTH {
            return None;
        }
        let (form, body) = text.strip_suffix(')')?.split_once('(')?;
        match (form, kind) {
            ("cron", _) => Cron::parse(body).map(Self::Cron),
            ("rate", _) => Rate::parse(body, kind).map(Self::Rate),
            ("at", ScheduleKind::Scheduler) => At::parse(body).map(Self::At),
            _ => None,
        }
    }

    /// The first run strictly after `after`; `None` when there is none before the year 2200.
    ///
    /// `zone` is the schedule's time zone; `since` is its creation, from which a rate counts.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next_after(after, zone),
            Self::Rate(rate) => rate.next_after(after, since),
            Self::At(at) => at.next_after(after, zone),
        }
    }
}
