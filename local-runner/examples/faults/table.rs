//! The table: one line for each outage.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load::{Count, Jobs};
use crate::sampling::Sample;

/// What one outage looked like from outside.
#[derive(Debug)]
pub(crate) struct Row {
    server: String,
    how: String,
    /// The word of the phase's messages.
    pub(crate) word: String,
    requests: usize,
    unavailable: usize,
    other: usize,
    slowest: Duration,
    again: Duration,
}

impl Row {
    /// From the samples of a phase, whose server was back at `mended`.
    pub(crate) fn of(server: &str, how: &str, word: String, samples: &[Sample], mended: Instant) -> Self {
        let failed = |sample: &&Sample| !(200..300).contains(&sample.status);
        let unavailable = samples.iter().filter(|sample| sample.status == 503).count();
        let last = samples.iter().filter(failed).map(|sample| sample.begun + sample.took).max();
        Self {
            server: server.to_owned(),
            how: how.to_owned(),
            word,
            requests: samples.len(),
            unavailable,
            other: samples.iter().filter(failed).count() - unavailable,
            slowest: samples.iter().map(|sample| sample.took).max().unwrap_or_default(),
            again: last.map_or(Duration::ZERO, |last| last.saturating_duration_since(mended)),
        }
    }
}

/// As Markdown.
pub(crate) fn text(rows: &[Row], counts: &[Count], jobs: Jobs) -> String {
    let mut text = "| server | how it was away | requests | 503 | other failures | slowest answer | \
                    last failure after its return | messages acknowledged | lost | doubled | found by search |\n\
                    |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for (row, count) in rows.iter().zip(counts) {
        let Row { server, how, requests, unavailable, other, slowest, again, .. } = row;
        let Count { acknowledged, lost, doubled, searchable } = count;
        let (slowest, again) = (slowest.as_secs_f64(), again.as_secs_f64());
        writeln!(
            text,
            "| {server} | {how} | {requests} | {unavailable} | {other} | {slowest:.2} s | {again:.1} s \
             | {acknowledged} | {lost} | {doubled} | {searchable} |"
        )
        .unwrap();
    }
    let Jobs { planned, delivered } = jobs;
    writeln!(text, "\nAutomatic messages over the whole run: {planned} planned, {delivered} delivered.")
        .unwrap();
    text
}
