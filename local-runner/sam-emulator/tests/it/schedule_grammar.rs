//! The grammar of schedule expressions: what both services accept and what they refuse.

use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::schedule::Expression;

/// Accepted by both services.
const ACCEPTED: &[&str] = &[
    "cron(0-15/1 8-8 ? * 2,3,4 *)",
    "cron(*/15 * * * ? *)",
    "cron(0 2 * * ? *)",
    "cron(0/15 8-17 ? * MON-FRI *)",
    "cron(0 18 ? * mon-Fri *)",
    "cron(0 0 L * ? *)",
    "cron(0 0 LW * ? *)",
    "cron(0 0 3W * ? *)",
    "cron(0 0 1,15,L * ? 2026-2030)",
    "cron(0 0 ? * L *)",
    "cron(0 0 ? * 6L *)",
    "cron(0 0 ? * FRIL *)",
    "cron(0 0 ? * 3#2 *)",
    "cron(0 0 ? * TUE#5 *)",
    "cron(0 20-2 * NOV-FEB ? *)",
    "cron(0 0 ? * FRI-MON *)",
    "cron(59 23 31 12 ? 1970,2199)",
    "cron(0  0  1  1  ?  *)",
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(4294967295 days)",
];

/// Refused by both services.
const REFUSED: &[&str] = &[
    "cron(0 1 * * * *)",
    "cron(7 20 * * NOT *)",
    "cron(71 8 1 * ? *)",
    "cron()",
    "cron(0 1 * * ?)",
    "cron(0 1 * * ? * *)",
    "cron(0 1 ? * ? *)",
    "cron(60 1 * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 0 0 * ? *)",
    "cron(0 0 32 * ? *)",
    "cron(0 0 1 13 ? *)",
    "cron(0 0 ? * 0 *)",
    "cron(0 0 ? * 8 *)",
    "cron(0 0 1 1 ? 1969)",
    "cron(0 0 1 1 ? 2200)",
    "cron(0 0 1 1 ? 2030-2026)",
    "cron(? 0 1 1 ? *)",
    "cron(0 ? 1 1 ? *)",
    "cron(0 0 1 ? ? *)",
    "cron(0 0 1 1 ? ?)",
    "cron(L 0 1 1 ? *)",
    "cron(0 0 1 L ? *)",
    "cron(0 0 W * ? *)",
    "cron(0 0 0W * ? *)",
    "cron(0 0 32W * ? *)",
    "cron(0 0 3L * ? *)",
    "cron(0 0 1#1 * ? *)",
    "cron(0 0 ? * 3W *)",
    "cron(0 0 ? * 3#0 *)",
    "cron(0 0 ? * 3#6 *)",
    "cron(0 0 ? * 3# *)",
    "cron(0 0 ? * #2 *)",
    "cron(0 0 ? * 3#1,6#3 *)",
    "cron(0 0 ? * 2,3#1 *)",
    "cron(0 0 ? * 2/2 *)",
    "cron(0 0 MON * ? *)",
    "cron(0/0 0 1 * ? *)",
    "cron(0/ 0 1 * ? *)",
    "cron(/5 0 1 * ? *)",
    "cron(0//5 0 1 * ? *)",
    "cron(0,,5 0 1 * ? *)",
    "cron(,0 0 1 * ? *)",
    "cron(1-2-3 0 1 * ? *)",
    "cron(-5 0 1 * ? *)",
    "cron(+5 0 1 * ? *)",
    "cron(99999999999999999999 0 1 * ? *)",
    "cron( 0 1 * * ? *)",
    "cron(0 1 * * ? *",
    "CRON(0 1 * * ? *)",
    "0 1 * * ? *",
    "rate(10 seconds)",
    "rate(10 years)",
    "rate(10)",
    "rate(-10 minutes)",
    "rate( 10 minutes )",
    "rate(10 minutess)",
    "rate(0 minutes)",
    "rate(+1 minute)",
    "rate(1.5 hours)",
    "rate(10  minutes)",
    "rate(10 Minutes)",
    "rate(99999999999 minutes)",
    "at(2026-01-01T02:00:00Z)",
    "at(2026-01-01 02:00:00)",
    "at(2026-01-01T02:00)",
    "at(2026-02-30T02:00:00)",
    "at(2026-01-01T02:00:60)",
    "at(2026-01-01T24:00:00)",
    "at(20260101T02:00:00.0)",
    "every day",
    "",
    "(",
    ")",
    "()",
];

#[test]
fn an_expression_is_accepted_or_refused_with_the_error_of_the_service() {
    for kind in [Rule, Scheduler] {
        for text in ACCEPTED {
            assert!(Expression::parse(text, kind).is_ok(), "{text} refused by {kind:?}");
        }
        for text in REFUSED {
            let refusal = Expression::parse(text, kind).map(|_| text).unwrap_err().to_string();
            assert_eq!(refusal, format!("Invalid Schedule Expression {text}."));
        }
    }
}

#[test]
fn only_scheduler_accepts_at_and_a_wrong_plural() {
    for text in ["at(2026-01-01T02:00:00)", "rate(1 minutes)", "rate(5 minute)", "rate(2 day)"] {
        assert!(Expression::parse(text, Scheduler).is_ok(), "{text} refused by Scheduler");
        assert!(Expression::parse(text, Rule).is_err(), "{text} accepted by a rule");
    }
}

#[test]
fn parsing_never_panics() {
    let pieces = [
        "cron(", "rate(", "at(", ")", "*", "?", "L", "W", "#", "/", "-", ",", " ", "0", "65536", "ı", "💥",
        "\0",
    ];
    // A deterministic generator, so that every run has the same strings.
    let mut seed = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::from(pieces[(seed % 3) as usize]);
        for _ in 0..(seed >> 8) % 16 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push(')');
        let _ = Expression::parse(&text, Scheduler);
    }
    for text in
        [format!("cron({})", "0,".repeat(100_000)), "(".repeat(1_000_000), "rate(1 minute)".repeat(50)]
    {
        assert!(Expression::parse(&text, Rule).is_err());
    }
}
