//! `cron(minutes hours day-of-month month day-of-week year)`: exactly six fields.

mod days;
mod field;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use self::days::Days;
use super::zone::instant;

/// A calendar schedule: for each field the set of values that it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: BTreeSet<u16>,
    hours: BTreeSet<u16>,
    days: Days,
    months: BTreeSet<u16>,
    years: BTreeSet<u16>,
}

impl Cron {
    /// Parses the text between the brackets; `None` when the service would refuse it.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        if body.trim() != body {
            return None;
        }
        let fields: Vec<&str> = body.split_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, year] = fields.try_into().ok()?;
        Some(Self {
            minutes: field::MINUTES.values(minutes)?,
            hours: field::HOURS.values(hours)?,
            days: Days::parse(day_of_month, day_of_week)?,
            months: field::MONTHS.values(month)?,
            years: field::YEARS.values(year)?,
        })
    }

    /// The first run strictly after `after`, at a whole minute of wall time in `zone`.
    ///
    /// It visits the allowed years, months and days only, so an expression without any run ends after at most
    /// 230 years of twelve short steps.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from = zone.to_datetime(after);
        self.dates(from.date())
            .flat_map(|date| self.wall_times(date, from))
            .filter_map(|wall_time| instant(wall_time, zone))
            // During the second hour of an autumn overlap, a wall time may be ahead although its only run is
            // past.
            .find(|at| *at > after)
    }

    /// The allowed days from `first` on.
    fn dates(&self, first: Date) -> impl Iterator<Item = Date> {
        let first_year = u16::try_from(first.year()).unwrap_or(0);
        self.years
            .range(first_year..)
            .flat_map(|year| self.months.iter().filter_map(|month| month_start(*year, *month)))
            .filter(move |start| start.last_of_month() >= first)
            .flat_map(|start| self.days.in_month(start))
            .filter(move |date| *date >= first)
    }

    /// The allowed wall times of `date`, without those before `from`.
    fn wall_times(&self, date: Date, from: DateTime) -> impl Iterator<Item = DateTime> {
        let start = if date == from.date() { from.time() } else { Time::midnight() };
        let (hour, minute) = (start.hour(), start.minute());
        self.hours
            .range(u16::from(hour.unsigned_abs())..)
            .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour as i8, *minute as i8)))
            .filter(move |time| *time >= (hour, minute))
            .map(move |(hour, minute)| date.at(hour, minute, 0, 0))
    }
}

fn month_start(year: u16, month: u16) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()
}
