//! `rate(value unit)`: a firing every so many minutes, hours or days, counted from the creation.

use jiff::{SignedDuration, Timestamp};

use crate::plan::ScheduleKind;

/// A repeating schedule. A day is 24 hours of clock time, whatever daylight saving does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Seconds between two firings, at least 60.
    period: i64,
    /// Seconds from the creation to the first firing: EventBridge Scheduler starts at once, a rule
    /// after one period.
    delay: i64,
}

impl Rate {
    /// Parses what stands between the brackets; `None` when the service `kind` would refuse it.
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
        let grammatical = (value == 1) == (singular == unit);
        if kind == ScheduleKind::Rule && !grammatical {
            return None;
        }
        let period = i64::from(value) * seconds;
        Some(Self { period, delay: if kind == ScheduleKind::Rule { period } else { 0 } })
    }

    /// The first firing strictly after `after` of a schedule created at `since` (a whole second).
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
