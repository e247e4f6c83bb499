//! A schedule expression of any of the three forms, and when it fires next.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::at::At;
use super::cron::Cron;
use super::rate::Rate;
use crate::plan::ScheduleKind;

/// The longest expression either service takes, in characters
/// (EventBridge `PutRule` and Scheduler `CreateSchedule`, `ScheduleExpression`).
const LONGEST: usize = 256;

/// The services' words for an expression that they refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Schedule Expression {0}.")]
pub struct InvalidExpression(pub String);

/// `cron(…)`, `rate(…)` or `at(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Calendar times.
    Cron(Cron),
    /// Every so often, counted from the schedule's creation.
    Rate(Rate),
    /// Once. EventBridge Scheduler only.
    At(At),
}

impl Expression {
    /// Parses `text` as the service `kind` does: a rule knows no `at(…)` and demands a rate's
    /// singular for 1 and plural otherwise.
    ///
    /// # Errors
    /// [`InvalidExpression`] with the text as written.
    pub fn parse(text: &str, kind: ScheduleKind) -> Result<Self, InvalidExpression> {
        Self::read(text, kind).ok_or_else(|| InvalidExpression(text.to_owned()))
    }

    fn read(text: &str, kind: ScheduleKind) -> Option<Self> {
        if text.chars().count() > LONGEST {
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

    /// The first firing strictly after `after`, or `None` when there is none before the year 2200.
    ///
    /// `zone` is the schedule's time zone; `since`, the instant of the schedule's creation, is what a
    /// rate counts from.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next_after(after, zone),
            Self::Rate(rate) => rate.next_after(after, since),
            Self::At(at) => at.next_after(after, zone),
        }
    }
}
