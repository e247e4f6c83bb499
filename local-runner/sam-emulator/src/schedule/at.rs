//! `at(yyyy-mm-ddThh:mm:ss)`: one run, in the schedule's time zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::zone::instant;

/// A one-time schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    wall_time: DateTime,
}

impl At {
    /// Parses the text between the brackets; `None` when the service would refuse it.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        // jiff accepts more forms than AWS (fractions, a leap second). Only AWS's form equals its own output.
        body.parse()
            .ok()
            .filter(|wall_time: &DateTime| wall_time.to_string() == body)
            .map(|wall_time| Self { wall_time })
    }

    /// The run, if it is after `after` and the wall time exists in `zone`.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        instant(self.wall_time, zone).filter(|at| *at > after)
    }
}
