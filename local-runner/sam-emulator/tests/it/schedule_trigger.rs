//! The trigger: which runs are due, which were missed, and the state across restarts. The test moves the
//! clock.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use jiff::Timestamp;
use sam_emulator::invoke::{BoxFuture, Invocation};
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::plan::{Account, SchedulePlan};
use sam_emulator::schedule::{Clock, DueRuns, ScheduleState, Schedules, Trigger};
use tokio::sync::{Notify, oneshot};

use crate::schedule_event::plan;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plans() -> Vec<SchedulePlan> {
    vec![
        plan("minutely", Rule, "cron(* * * * ? *)"),
        SchedulePlan {
            timezone: "Europe/Istanbul".to_owned(),
            ..plan("nightly", Scheduler, "cron(0 2 * * ? *)")
        },
        SchedulePlan { enabled: false, ..plan("never", Rule, "rate(1 minute)") },
    ]
}

fn opened(now: &str) -> Schedules {
    Schedules::new(plans(), &mut ScheduleState::in_memory(), at(now)).unwrap()
}

/// One line per run to start and per schedule with missed runs.
fn text_of(due: &DueRuns) -> String {
    let mut text = String::new();
    for run in &due.runs {
        writeln!(text, "run {} {}", run.plan.name, run.at).unwrap();
    }
    for missed in &due.missed {
        writeln!(text, "missed {} {} {}", missed.schedule, missed.count, missed.last).unwrap();
    }
    text
}

#[test]
fn a_run_is_due_once_and_counts_as_missed_when_it_is_late() {
    let schedules = opened("2026-01-01T22:00:00Z");
    let cases = [
        ("2026-01-01T22:58:30Z", "2026-01-01T22:58:59.9Z", expect![[""]]),
        (
            "2026-01-01T22:58:59.9Z",
            "2026-01-01T22:59:00Z",
            expect![[r#"
            run minutely 2026-01-01T22:59:00Z
        "#]],
        ),
        // Both at once. The period includes its end and not its beginning.
        (
            "2026-01-01T22:59:00Z",
            "2026-01-01T23:00:00.01Z",
            expect![[r#"
            run minutely 2026-01-01T23:00:00Z
            run nightly 2026-01-01T23:00:00Z
        "#]],
        ),
        // The machine was suspended for three hours: only the last minute is in time.
        (
            "2026-01-01T22:00:00Z",
            "2026-01-02T01:00:30Z",
            expect![[r#"
            run minutely 2026-01-02T01:00:00Z
            missed minutely 179 2026-01-02T00:59:00Z
            missed nightly 1 2026-01-01T23:00:00Z
        "#]],
        ),
    ];
    for (from, to, expected) in cases {
        expected.assert_eq(&text_of(&schedules.due(at(from), at(to))));
    }
}

#[test]
fn the_next_runs_are_listed_for_enabled_schedules() {
    expect![[r#"
        [
            NextRuns {
                schedule: "minutely",
                function: "minutely-function",
                expression: "cron(* * * * ? *)",
                timezone: "UTC",
                enabled: true,
                runs: [
                    2026-01-01T22:01:00Z,
                    2026-01-01T22:02:00Z,
                ],
            },
            NextRuns {
                schedule: "nightly",
                function: "nightly-function",
                expression: "cron(0 2 * * ? *)",
                timezone: "Europe/Istanbul",
                enabled: true,
                runs: [
                    2026-01-01T23:00:00Z,
                    2026-01-02T23:00:00Z,
                ],
            },
            NextRuns {
                schedule: "never",
                function: "never-function",
                expression: "rate(1 minute)",
                timezone: "UTC",
                enabled: false,
                runs: [],
            },
        ]
    "#]]
    .assert_debug_eq(&opened("2026-01-01T22:00:00Z").next_runs(at("2026-01-01T22:00:00Z"), 2));
}

#[test]
fn the_error_of_an_invalid_schedule_names_the_schedule() {
    let valid = || plan("s", Scheduler, "rate(1 day)");
    let cases = [
        (
            SchedulePlan { expression: "cron(0 1 * * * *)".to_owned(), ..valid() },
            expect!["schedule s: Invalid Schedule Expression cron(0 1 * * * *)."],
        ),
        (
            SchedulePlan { timezone: "Europe/Atlantis".to_owned(), ..valid() },
            expect!["schedule s: Invalid Schedule Expression Timezone Europe/Atlantis."],
        ),
        (
            SchedulePlan { input: Some("{not json".to_owned()), ..valid() },
            expect!["schedule s: Input is not JSON: key must be a string at line 1 column 2"],
        ),
    ];
    for (plan, expected) in cases {
        let result = Schedules::new(vec![plan], &mut ScheduleState::in_memory(), at("2026-01-01T00:00:00Z"));
        expected.assert_eq(&result.unwrap_err().to_string());
    }
}

/// A clock that moves only while the trigger sleeps, and notifies when it reaches its end.
struct ManualClock {
    now: Mutex<Timestamp>,
    end: Timestamp,
    ended: Notify,
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<()> {
        let mut now = self.now.lock().unwrap();
        if *now + pause > self.end {
            self.ended.notify_one();
            return Box::pin(std::future::pending());
        }
        *now += pause;
        Box::pin(std::future::ready(()))
    }
}

/// Runs the trigger from `from` to `to`. Returns the missed runs and the started ones, all of which succeed.
async fn run(plans: Vec<SchedulePlan>, file: &Path, from: &str, to: &str) -> String {
    run_with(plans, file, from, to, |succeeded| succeeded.send(()).unwrap()).await
}

/// Decides the outcome of an invocation.
type Outcome = fn(oneshot::Sender<()>);

/// Like [`run`], with this outcome of every invocation.
async fn run_with(plans: Vec<SchedulePlan>, file: &Path, from: &str, to: &str, outcome: Outcome) -> String {
    let mut state = ScheduleState::open(file).unwrap();
    let schedules = Schedules::new(plans, &mut state, at(from)).unwrap();
    let mut lines = text_of(&DueRuns { runs: Vec::new(), missed: schedules.missed() });
    let clock = Arc::new(ManualClock { now: Mutex::new(at(from)), end: at(to), ended: Notify::new() });
    let calls: Arc<Mutex<Vec<Invocation>>> = Arc::default();
    let invoke = {
        let calls = calls.clone();
        Arc::new(move |call| {
            let (succeeded, receipt) = oneshot::channel();
            calls.lock().unwrap().push(call);
            outcome(succeeded);
            receipt
        })
    };
    let trigger = Trigger::new(schedules, state, Account::default(), clock.clone(), invoke);
    trigger.run(clock.ended.notified()).await;
    for call in calls.lock().unwrap().iter() {
        let event: serde_json::Value = serde_json::from_slice(&call.payload).unwrap();
        writeln!(lines, "ran {} {}", call.function, event["time"].as_str().unwrap()).unwrap();
    }
    lines
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    let plans = || vec![plan("rated", Scheduler, "rate(1 hour)"), plan("hourly", Rule, "cron(30 * * * ? *)")];

    // Created at 10:00:01, the next whole second. A Scheduler rate runs at its creation.
    let first = run(plans(), &file, "2026-01-01T10:00:00.5Z", "2026-01-01T11:45:00Z").await;
    expect![[r#"
        ran rated-function 2026-01-01T10:00:01Z
        ran hourly-function 2026-01-01T10:30:00Z
        ran rated-function 2026-01-01T11:00:01Z
        ran hourly-function 2026-01-01T11:30:00Z
    "#]]
    .assert_eq(&first);
    expect![[r#"
        {
          "hourly": {
            "expression": "cron(30 * * * ? *)",
            "since": "2026-01-01T10:00:01Z",
            "lastFired": "2026-01-01T11:30:00Z"
          },
          "rated": {
            "expression": "rate(1 hour)",
            "since": "2026-01-01T10:00:01Z",
            "lastFired": "2026-01-01T11:00:01Z"
          }
        }"#]]
    .assert_eq(&std::fs::read_to_string(&file).unwrap());

    // Not running until 15:10: the missed runs are reported and not started.
    let second = run(plans(), &file, "2026-01-01T15:10:00Z", "2026-01-01T15:45:00Z").await;
    expect![[r#"
        missed rated 4 2026-01-01T15:00:01Z
        missed hourly 3 2026-01-01T14:30:00Z
        ran hourly-function 2026-01-01T15:30:00Z
    "#]]
    .assert_eq(&second);

    // A schedule with another expression is new, so it has missed nothing.
    let changed = vec![plan("hourly", Rule, "cron(15 * * * ? *)")];
    let third = run(changed, &file, "2026-01-02T00:00:00Z", "2026-01-02T00:20:00Z").await;
    expect![[r#"
        ran hourly-function 2026-01-02T00:15:00Z
    "#]]
    .assert_eq(&third);
}

/// The event was dropped after its retries, or the process was killed: both runs count as missed.
#[tokio::test(start_paused = true)]
async fn a_run_that_did_not_succeed_is_reported_as_missed_at_the_next_start() {
    let (dropped, killed): (Outcome, Outcome) = (drop, std::mem::forget);
    for outcome in [dropped, killed] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schedules.json");
        let plans = || vec![plan("hourly", Rule, "cron(30 * * * ? *)")];
        run(plans(), &file, "2026-01-01T10:00:00Z", "2026-01-01T10:45:00Z").await;
        run_with(plans(), &file, "2026-01-01T10:45:01Z", "2026-01-01T11:45:00Z", outcome).await;
        let next = run(plans(), &file, "2026-01-01T11:45:01Z", "2026-01-01T11:50:00Z").await;
        assert!(next.starts_with("missed") && next.contains("2026-01-01T11:30:00Z"), "{next}");
    }
}

#[test]
fn an_invalid_state_file_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    std::fs::write(&file, "{").unwrap();
    assert!(ScheduleState::open(&file).unwrap_err().to_string().contains("schedules.json: EOF"));
}

#[test]
fn missed_runs_are_counted_up_to_ten_thousand() {
    let mut state = ScheduleState::in_memory();
    let minutely = || vec![plan("minutely", Rule, "cron(* * * * ? *)")];
    Schedules::new(minutely(), &mut state, at("2020-01-01T00:00:00Z")).unwrap();
    let later = Schedules::new(minutely(), &mut state, at("2026-01-01T00:00:30Z")).unwrap();
    let missed = &later.missed()[0];
    assert_eq!((missed.count, missed.last), (10_000, at("2026-01-01T00:00:00Z")));
}

/// The runs of one Scheduler schedule that is created at `now`.
fn runs_between(plan: SchedulePlan, now: &str, count: usize) -> Vec<String> {
    let schedules = Schedules::new(vec![plan], &mut ScheduleState::in_memory(), at(now)).unwrap();
    schedules.next_runs(at(now), count)[0].runs.iter().map(ToString::to_string).collect()
}

#[test]
fn a_schedule_runs_between_its_start_and_its_end_and_a_rate_counts_from_the_start() {
    let (start, end) = (Some(at("2026-01-02T00:00:30Z")), Some(at("2026-01-02T02:00:30Z")));
    let rate = SchedulePlan { start, end, ..plan("hourly", Scheduler, "rate(1 hour)") };
    let expected = ["2026-01-02T00:00:30Z", "2026-01-02T01:00:30Z", "2026-01-02T02:00:30Z"];
    assert_eq!(runs_between(rate.clone(), "2026-01-01T00:00:00Z", 9), expected);
    assert_eq!(runs_between(rate, "2026-01-02T01:10:00Z", 9), expected[2..], "created after the start");
    let cron = SchedulePlan { start, end, ..plan("hourly", Scheduler, "cron(0 * * * ? *)") };
    let expected = ["2026-01-02T01:00:00Z", "2026-01-02T02:00:00Z"];
    assert_eq!(runs_between(cron.clone(), "2026-01-01T00:00:00Z", 9), expected);
    assert!(runs_between(cron, "2026-01-03T00:00:00Z", 9).is_empty(), "after the end");
    let once = SchedulePlan { start, end, ..plan("once", Scheduler, "at(2026-01-05T00:00:00)") };
    assert_eq!(runs_between(once, "2026-01-01T00:00:00Z", 9), ["2026-01-05T00:00:00Z"], "ignores the dates");
}

#[test]
fn runs_before_the_start_and_after_the_end_are_neither_due_nor_missed() {
    let (start, end) = (Some(at("2026-01-01T01:00:00Z")), Some(at("2026-01-01T02:00:00Z")));
    let plan = SchedulePlan { start, end, ..plan("minutely", Scheduler, "cron(* * * * ? *)") };
    let schedules =
        Schedules::new(vec![plan], &mut ScheduleState::in_memory(), at("2026-01-01T00:00:00Z")).unwrap();
    let due = |from: &str, to: &str| text_of(&schedules.due(at(from), at(to)));
    assert_eq!(due("2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z"), "");
    assert_eq!(due("2026-01-01T00:59:30Z", "2026-01-01T01:00:00Z"), "run minutely 2026-01-01T01:00:00Z\n");
    assert_eq!(
        due("2026-01-01T00:00:00Z", "2026-01-01T09:00:00Z"),
        "missed minutely 61 2026-01-01T02:00:00Z\n"
    );
}
