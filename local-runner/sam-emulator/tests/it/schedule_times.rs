//! The run times of expressions: calendars, time zones, daylight saving, rates.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::schedule::Expression;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next `count` runs after `from`, one per line.
fn runs(expression: &str, zone: &str, from: &str, count: usize) -> String {
    let zone = TimeZone::get(zone).unwrap();
    let expression = Expression::parse(expression, Scheduler).unwrap();
    let mut after = at(from);
    let mut lines = String::new();
    for _ in 0..count {
        let Some(next) = expression.next_after(after, &zone, at(from)) else { break };
        lines.push_str(&format!("{next}\n"));
        after = next;
    }
    lines
}

/// expression, zone, from, count, expected
type Row = (&'static str, &'static str, &'static str, usize, Expect);

fn check(rows: &[Row]) {
    for (expression, zone, from, count, expected) in rows {
        expected.assert_eq(&runs(expression, zone, from, *count));
    }
}

#[test]
fn cron_allows_days_of_the_month() {
    check(&[
        // The last day, in a common and a leap year.
        (
            "cron(0 0 L 2 ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            3,
            expect![[r#"
            2026-02-28T00:00:00Z
            2027-02-28T00:00:00Z
            2028-02-29T00:00:00Z
        "#]],
        ),
        // 1W on a Saturday (August 2026) and a Sunday (February 2026) stays in its month.
        (
            "cron(0 0 1W 2,8 ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            2,
            expect![[r#"
            2026-02-02T00:00:00Z
            2026-08-03T00:00:00Z
        "#]],
        ),
        // 31W: only months with a 31st day. A Saturday becomes the day before, a Sunday two days before.
        (
            "cron(0 0 31W * ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            7,
            expect![[r#"
            2026-01-30T00:00:00Z
            2026-03-31T00:00:00Z
            2026-05-29T00:00:00Z
            2026-07-31T00:00:00Z
            2026-08-31T00:00:00Z
            2026-10-30T00:00:00Z
            2026-12-31T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 15W * ? *)",
            "UTC",
            "2026-02-01T00:00:00Z",
            3,
            expect![[r#"
            2026-02-16T00:00:00Z
            2026-03-16T00:00:00Z
            2026-04-15T00:00:00Z
        "#]],
        ),
        // LW: the last weekday.
        (
            "cron(0 0 LW * ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            5,
            expect![[r#"
            2026-01-30T00:00:00Z
            2026-02-27T00:00:00Z
            2026-03-31T00:00:00Z
            2026-04-30T00:00:00Z
            2026-05-29T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 1/10 * ? *)",
            "UTC",
            "2026-02-01T00:00:00Z",
            5,
            expect![[r#"
            2026-02-11T00:00:00Z
            2026-02-21T00:00:00Z
            2026-03-01T00:00:00Z
            2026-03-11T00:00:00Z
            2026-03-21T00:00:00Z
        "#]],
        ),
        // A range over the end of the month.
        (
            "cron(0 0 30-2 * ? *)",
            "UTC",
            "2026-02-01T12:00:00Z",
            6,
            expect![[r#"
            2026-02-02T00:00:00Z
            2026-03-01T00:00:00Z
            2026-03-02T00:00:00Z
            2026-03-30T00:00:00Z
            2026-03-31T00:00:00Z
            2026-04-01T00:00:00Z
        "#]],
        ),
    ]);
}

#[test]
fn cron_allows_days_of_the_week() {
    check(&[
        (
            "cron(0 0 ? * 6L *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            3,
            expect![[r#"
            2026-01-30T00:00:00Z
            2026-02-27T00:00:00Z
            2026-03-27T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 ? * 3#2 *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            3,
            expect![[r#"
            2026-01-13T00:00:00Z
            2026-02-10T00:00:00Z
            2026-03-10T00:00:00Z
        "#]],
        ),
        // The fifth Friday: not every month has one.
        (
            "cron(0 0 ? * FRI#5 *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            3,
            expect![[r#"
            2026-01-30T00:00:00Z
            2026-05-29T00:00:00Z
            2026-07-31T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 ? * L *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            2,
            expect![[r#"
            2026-01-03T00:00:00Z
            2026-01-10T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 ? * FRI-MON *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            5,
            expect![[r#"
            2026-01-02T00:00:00Z
            2026-01-03T00:00:00Z
            2026-01-04T00:00:00Z
            2026-01-05T00:00:00Z
            2026-01-09T00:00:00Z
        "#]],
        ),
    ]);
}

#[test]
fn cron_allows_steps_ranges_over_the_end_and_years() {
    check(&[
        (
            "cron(0/25 20-2/3 * * ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            7,
            expect![[r#"
            2026-01-01T02:00:00Z
            2026-01-01T02:25:00Z
            2026-01-01T02:50:00Z
            2026-01-01T20:00:00Z
            2026-01-01T20:25:00Z
            2026-01-01T20:50:00Z
            2026-01-01T23:00:00Z
        "#]],
        ),
        (
            "cron(0 0 1 NOV-FEB ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            5,
            expect![[r#"
            2026-02-01T00:00:00Z
            2026-11-01T00:00:00Z
            2026-12-01T00:00:00Z
            2027-01-01T00:00:00Z
            2027-02-01T00:00:00Z
        "#]],
        ),
        (
            "cron(0 0 1 1 ? 2026-2199/50)",
            "UTC",
            "2026-01-01T00:00:00Z",
            9,
            expect![[r#"
            2076-01-01T00:00:00Z
            2126-01-01T00:00:00Z
            2176-01-01T00:00:00Z
        "#]],
        ),
        // Strictly after the instant; seconds within the minute have no effect.
        (
            "cron(0 2 * * ? *)",
            "UTC",
            "2026-01-01T02:00:00Z",
            1,
            expect![[r#"
            2026-01-02T02:00:00Z
        "#]],
        ),
        (
            "cron(0 2 * * ? *)",
            "UTC",
            "2026-01-01T01:59:59.999Z",
            1,
            expect![[r#"
            2026-01-01T02:00:00Z
        "#]],
        ),
    ]);
}

#[test]
fn a_run_in_a_daylight_saving_gap_is_skipped_and_in_an_overlap_happens_once() {
    check(&[
        // Istanbul has no daylight saving: 02:00 is 23:00 UTC all year.
        (
            "cron(0 2 * 1,7 ? *)",
            "Europe/Istanbul",
            "2026-01-30T00:00:00Z",
            3,
            expect![[r#"
            2026-01-30T23:00:00Z
            2026-06-30T23:00:00Z
            2026-07-01T23:00:00Z
        "#]],
        ),
        // Berlin, 29 March 2026 and 28 March 2027: 02:00–03:00 does not exist, so the run is skipped.
        (
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-03-28T00:00:00Z",
            3,
            expect![[r#"
            2026-03-28T01:30:00Z
            2026-03-30T00:30:00Z
            2026-03-31T00:30:00Z
        "#]],
        ),
        (
            "cron(0 2 * * ? *)",
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            3,
            expect![[r#"
            2027-03-27T01:00:00Z
            2027-03-29T00:00:00Z
            2027-03-30T00:00:00Z
        "#]],
        ),
        // Berlin, 25 October 2026 and 31 October 2027: 02:30 occurs twice, and the run happens once.
        (
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-10-24T00:00:00Z",
            3,
            expect![[r#"
            2026-10-24T00:30:00Z
            2026-10-25T00:30:00Z
            2026-10-26T01:30:00Z
        "#]],
        ),
        (
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2027-10-30T00:00:00Z",
            3,
            expect![[r#"
            2027-10-30T00:30:00Z
            2027-10-31T00:30:00Z
            2027-11-01T01:30:00Z
        "#]],
        ),
        // From an instant in the second hour of the overlap (02:10 after the change).
        (
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-10-25T01:10:00Z",
            1,
            expect![[r#"
            2026-10-26T01:30:00Z
        "#]],
        ),
        // London skips 01:00–02:00: on that day the run of 02:00 happens and the run of 01:30 does not.
        (
            "cron(0 2 * * ? *)",
            "Europe/London",
            "2026-03-28T12:00:00Z",
            2,
            expect![[r#"
            2026-03-29T01:00:00Z
            2026-03-30T01:00:00Z
        "#]],
        ),
        (
            "cron(30 1 * * ? *)",
            "Europe/London",
            "2026-03-28T12:00:00Z",
            2,
            expect![[r#"
            2026-03-30T00:30:00Z
            2026-03-31T00:30:00Z
        "#]],
        ),
        // Samoa skipped 30 December 2011.
        (
            "cron(0 12 * * ? *)",
            "Pacific/Apia",
            "2011-12-29T00:00:00Z",
            3,
            expect![[r#"
            2011-12-29T22:00:00Z
            2011-12-30T22:00:00Z
            2011-12-31T22:00:00Z
        "#]],
        ),
    ]);
}

#[test]
fn at_runs_once_in_local_time() {
    check(&[
        (
            "at(2026-07-01T02:00:30)",
            "Europe/Berlin",
            "2026-01-01T00:00:00Z",
            2,
            expect![[r#"
            2026-07-01T00:00:30Z
        "#]],
        ),
        ("at(2025-07-01T02:00:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", 1, expect![[""]]),
        ("at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", 1, expect![[""]]),
    ]);
}

#[test]
fn a_rate_counts_from_the_creation_of_the_schedule() {
    let since = at("2026-03-28T10:00:07Z");
    let rate = |text, kind| Expression::parse(text, kind).unwrap();
    let next =
        |rate: &Expression, after| rate.next_after(at(after), &TimeZone::UTC, since).unwrap().to_string();
    let scheduler = rate("rate(1 day)", Scheduler);
    assert_eq!(
        next(&scheduler, "2026-03-28T10:00:06.5Z"),
        "2026-03-28T10:00:07Z",
        "Scheduler starts at once"
    );
    assert_eq!(
        next(&scheduler, "2026-03-28T10:00:07Z"),
        "2026-03-29T10:00:07Z",
        "24 h, also over a daylight-saving change"
    );
    let rule = rate("rate(5 minutes)", Rule);
    assert_eq!(next(&rule, "2026-03-28T10:00:06Z"), "2026-03-28T10:05:07Z", "a rule waits one period");
    assert_eq!(next(&rule, "2026-03-28T10:05:06.9Z"), "2026-03-28T10:05:07Z");
    assert_eq!(next(&rule, "2027-03-28T10:00:00Z"), "2027-03-28T10:00:07Z");
    let endless = rate("rate(4294967295 days)", Rule);
    assert_eq!(endless.next_after(since, &TimeZone::UTC, since), None);
}

#[test]
fn the_search_for_a_run_is_quick_when_there_is_none() {
    let cases = [
        ("cron(0 0 29 2 ? 2100-2199)", Some("2104-02-29T00:00:00Z")),
        ("cron(0 0 31 2 ? *)", None),
        ("cron(0 0 31W 4,6,9,11 ? *)", None),
        ("cron(0 0 ? 2 SUN#5 2027-2199)", Some("2032-02-29T00:00:00Z")),
        ("cron(* * * * ? 1970-2025)", None),
        ("cron(59 23 31 12 ? 2199)", Some("2199-12-31T23:59:00Z")),
    ];
    let started = Instant::now();
    for (text, expected) in cases {
        let found = runs(text, "UTC", "2026-01-01T00:00:00Z", 1);
        assert_eq!(found.trim_end(), expected.unwrap_or_default(), "{text}");
    }
    // A search minute by minute would take minutes; the limit only has to distinguish the two.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
