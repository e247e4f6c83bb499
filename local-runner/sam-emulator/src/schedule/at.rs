//! `at(yyyy-mm-ddThh:mm:ss)`: one firing, in the schedule's time zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::zone::instant;

/// A one-time schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    wall: DateTime,
}

impl At {
    /// Parses what stands between the brackets; `None` when the service would refuse it.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        // jiff takes more forms than AWS does (fractions, a leap second); only the one comes back the same.
        body.parse().ok().filter(|wall: &DateTime| wall.to_string() == body).map(|wall| Self { wall })
    }

    /// The one firing, if it lies after `after` and the clocks of `zone` ever show it.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        instant(self.wall, zone).filter(|at| *at > after)
    }
}
