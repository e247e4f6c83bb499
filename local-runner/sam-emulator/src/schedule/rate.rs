//! `rate(value unit)`: a run every so many minutes, hours or days, counted from the schedule's creation.

use jiff::{SignedDuration, Timestamp};

use crate::plan::ScheduleKind;

/// A repeating schedule. A day is always 24 hours, also when daylight saving begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Seconds between two runs, at least 60.
    period: i64,
    /// Seconds from the creation to the first run: 0 for EventBridge Scheduler, one period for a rule.
    delay: i64,
}

impl Rate {
    /// Parses the text between the brackets; `None` when the service `kind` would refuse it.
    #[must_use]
    pub fn parse(body: &str, kind: ScheduleKind) -> Option<Self> {
        let (value, unit) = body.split_once(' ')?;
        if !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value = value.parse::<u32>().ok().filter(|value| *value > 0)?;
        let singular = unit.strip_suffix('s').unwrap_or(unit);
        let seconds = match singular {
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            _ => return None,
        };
        let number_agrees = (value == 1) == (singular == unit);
        if kind == ScheduleKind::Rule && !number_agrees {
            return None;
        }
        let period = i64::from(value) * seconds;
        Some(Self { period, delay: if kind == ScheduleKind::Rule { period } else { 0 } })
    }

    /// The first run strictly after `after` of a schedule created at `since`, a whole second.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, since: Timestamp) -> Option<Timestamp> {
        let first = since.checked_add(SignedDuration::from_secs(self.delay)).ok()?;
        if after < first {
            return Some(first);
        }
        let periods = (after.as_second() - first.as_second()) / self.period + 1;
        first.checked_add(SignedDuration::from_secs(periods.checked_mul(self.period)?)).ok()
    }
}
