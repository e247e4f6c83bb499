//! The days of a month that a cron expression allows, by day-of-month or day-of-week.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

use super::field::{DAYS_OF_MONTH, DAYS_OF_WEEK};

/// The two day fields, of which exactly one is `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Days {
    /// The terms of day-of-month.
    OfMonth(Vec<MonthDay>),
    /// The terms of day-of-week.
    OfWeek(Vec<WeekDay>),
}

/// One term of day-of-month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MonthDay {
    /// `1`, `1-5`, `*/2`.
    Among(BTreeSet<u16>),
    /// `L`: the last day.
    Last,
    /// `LW`: the last weekday.
    LastWeekday,
    /// `15W`: the weekday nearest to that day in the same month.
    NearestWeekday(u16),
}

/// One term of day-of-week, where 1 is Sunday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WeekDay {
    /// `2`, `MON-FRI`, or `L`, which is Saturday.
    Among(BTreeSet<u16>),
    /// `6L`: the last Friday of the month.
    Last(u16),
    /// `3#2`: the second Tuesday of the month.
    Nth(u16, i8),
}

impl Days {
    /// Parses both fields; `None` unless exactly one of them is `?`.
    pub(super) fn parse(day_of_month: &str, day_of_week: &str) -> Option<Self> {
        match (day_of_month, day_of_week) {
            ("?", "?") => None,
            (list, "?") => list.split(',').map(month_day).collect::<Option<_>>().map(Self::OfMonth),
            ("?", list) => week_days(list).map(Self::OfWeek),
            _ => None,
        }
    }

    /// The allowed days of the month whose first day is `start`, in order.
    pub(super) fn in_month(&self, start: Date) -> impl Iterator<Item = Date> + use<'_> {
        start.series(jiff::Span::new().days(1)).take(length(start) as usize).filter(|date| match self {
            Self::OfMonth(terms) => terms.iter().any(|term| term.allows(*date)),
            Self::OfWeek(terms) => terms.iter().any(|term| term.allows(*date)),
        })
    }
}

impl MonthDay {
    fn allows(&self, date: Date) -> bool {
        match self {
            Self::Among(days) => days.contains(&date.day().unsigned_abs().into()),
            Self::Last => date.day() == length(date),
            Self::LastWeekday => nearest_weekday(date, length(date)) == Some(date.day()),
            Self::NearestWeekday(day) => nearest_weekday(date, *day as i8) == Some(date.day()),
        }
    }
}

impl WeekDay {
    fn allows(&self, date: Date) -> bool {
        let weekday = u16::from(date.weekday().to_sunday_one_offset().unsigned_abs());
        match self {
            Self::Among(days) => days.contains(&weekday),
            Self::Last(day) => weekday == *day && date.day() > length(date) - 7,
            Self::Nth(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

fn month_day(term: &str) -> Option<MonthDay> {
    match (term, term.strip_suffix('W')) {
        ("L", _) => Some(MonthDay::Last),
        ("LW", _) => Some(MonthDay::LastWeekday),
        (_, Some(day)) => DAYS_OF_MONTH.value(day).map(MonthDay::NearestWeekday),
        _ => Some(MonthDay::Among(DAYS_OF_MONTH.term(term)?.collect())),
    }
}

/// The terms of day-of-week. A term with `#` must be the only one (EventBridge user guide, "Cron
/// expressions").
fn week_days(list: &str) -> Option<Vec<WeekDay>> {
    match list.split_once('#') {
        Some((day, nth)) => {
            let nth = ["1", "2", "3", "4", "5"].iter().position(|digit| *digit == nth)?;
            Some(vec![WeekDay::Nth(DAYS_OF_WEEK.value(day)?, nth as i8 + 1)])
        }
        None => list.split(',').map(week_day).collect(),
    }
}

fn week_day(term: &str) -> Option<WeekDay> {
    match term.strip_suffix('L') {
        Some("") => Some(WeekDay::Among(BTreeSet::from([7]))),
        Some(day) => DAYS_OF_WEEK.value(day).map(WeekDay::Last),
        None => Some(WeekDay::Among(DAYS_OF_WEEK.term(term)?.collect())),
    }
}

fn length(date: Date) -> i8 {
    date.days_in_month()
}

/// The weekday nearest to `day` in the month of `date`; `None` when the month has no such day.
fn nearest_weekday(date: Date, day: i8) -> Option<i8> {
    let target = date.with().day(day).build().ok()?;
    Some(match target.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == length(date) => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}
