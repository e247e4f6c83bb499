//! The table: one line for each outage.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load::{Count, Jobs};
use crate::sampling::Sample;

/// The requests during one outage and until the next.
#[derive(Debug)]
pub(crate) struct Row {
    server: String,
    outage: String,
    /// The word that all messages of the phase contain.
    pub(crate) word: String,
    requests: usize,
    unavailable: usize,
    other: usize,
    slowest: Duration,
    recovery: Duration,
}

impl Row {
    /// Evaluates the samples of a phase whose outage ended at `ended`.
    pub(crate) fn new(server: &str, outage: &str, word: String, samples: &[Sample], ended: Instant) -> Self {
        let failed = |sample: &&Sample| !(200..300).contains(&sample.status);
        let unavailable = samples.iter().filter(|sample| sample.status == 503).count();
        let last = samples.iter().filter(failed).map(|sample| sample.start + sample.took).max();
        Self {
            server: server.to_owned(),
            outage: outage.to_owned(),
            word,
            requests: samples.len(),
            unavailable,
            other: samples.iter().filter(failed).count() - unavailable,
            slowest: samples.iter().map(|sample| sample.took).max().unwrap_or_default(),
            recovery: last.map_or(Duration::ZERO, |last| last.saturating_duration_since(ended)),
        }
    }
}

/// The table in Markdown.
pub(crate) fn text(rows: &[Row], counts: &[Count], jobs: Jobs) -> String {
    let mut text = "| server | outage | requests | 503 | other failures | slowest response | \
                    last failure after its end | messages acknowledged | lost | duplicated | found by search |\n\
                    |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for (row, count) in rows.iter().zip(counts) {
        let Row { server, outage, requests, unavailable, other, slowest, recovery, .. } = row;
        let Count { acknowledged, lost, duplicated, searchable } = count;
        let (slowest, recovery) = (slowest.as_secs_f64(), recovery.as_secs_f64());
        writeln!(
            text,
            "| {server} | {outage} | {requests} | {unavailable} | {other} | {slowest:.2} s | {recovery:.1} s \
             | {acknowledged} | {lost} | {duplicated} | {searchable} |"
        )
        .unwrap();
    }
    let Jobs { planned, delivered } = jobs;
    writeln!(text, "\nAutomatic messages over the whole run: {planned} planned, {delivered} sent.").unwrap();
    text
}
