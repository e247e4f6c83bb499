//! One field of a cron expression: lists, ranges, steps and names.

use std::collections::BTreeSet;

/// The grammar of one field.
pub(super) struct Field {
    min: u16,
    max: u16,
    /// The names of the values from `min` on; empty when the values have no names.
    names: &'static [&'static str],
    /// Whether a range like `20-2` continues at `min` after `max`; years do not.
    wraps: bool,
    /// Whether the field allows `/`.
    steps: bool,
}

const fn numeric(min: u16, max: u16) -> Field {
    Field { min, max, names: &[], wraps: true, steps: true }
}

/// 0–59.
pub(super) const MINUTES: Field = numeric(0, 59);
/// 0–23.
pub(super) const HOURS: Field = numeric(0, 23);
/// 1–31.
pub(super) const DAYS_OF_MONTH: Field = numeric(1, 31);
/// 1–12 or JAN–DEC.
pub(super) const MONTHS: Field = Field {
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    ..numeric(1, 12)
};
/// 1–7 or SUN–SAT, without `/`.
pub(super) const DAYS_OF_WEEK: Field =
    Field { names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], steps: false, ..numeric(1, 7) };
/// 1970–2199.
pub(super) const YEARS: Field = Field { wraps: false, ..numeric(1970, 2199) };

impl Field {
    /// The values of a comma-separated list.
    pub(super) fn values(&self, list: &str) -> Option<BTreeSet<u16>> {
        let mut values = BTreeSet::new();
        for term in list.split(',') {
            values.extend(self.term(term)?);
        }
        Some(values)
    }

    /// The values of one term: `*`, `5`, `MON`, `1-5`, `22-2`, each also with `/step`.
    pub(super) fn term(&self, term: &str) -> Option<impl Iterator<Item = u16> + use<>> {
        let (range, step) = match term.split_once('/') {
            Some((range, step)) if self.steps => (range, Some(step_size(step)?)),
            Some(_) => return None,
            None => (term, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            // `0/15`: every 15th value from 0 to the end of the field.
            None if step.is_some() => (self.value(range)?, self.max),
            None => (self.value(range)?, self.value(range)?),
        };
        self.walk(from, to, step.unwrap_or(1))
    }

    /// The value of a number or name, if the field allows it.
    pub(super) fn value(&self, text: &str) -> Option<u16> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => self.min + index as u16,
            None => digits(text)?,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }

    fn walk(&self, from: u16, to: u16, step: u16) -> Option<impl Iterator<Item = u16> + use<>> {
        let (min, size) = (self.min, self.max - self.min + 1);
        if from > to && !self.wraps {
            return None;
        }
        let span = if from <= to { to - from } else { to + size - from };
        Some((0..=span).step_by(step.into()).map(move |offset| min + (from - min + offset) % size))
    }
}

fn step_size(text: &str) -> Option<u16> {
    digits(text).filter(|step| *step > 0)
}

/// A number of one to four digits; `parse` alone would accept `+5`.
fn digits(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
