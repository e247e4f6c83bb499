//! The trigger: what is due, what was missed, and the memory across restarts. Time is driven by hand.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use jiff::Timestamp;
use sam_emulator::invoke::{BoxFuture, Invocation};
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::plan::SchedulePlan;
use sam_emulator::schedule::{Clock, Due, Place, Schedules, State, Trigger};
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
    Schedules::new(plans(), &mut State::in_memory(), at(now)).unwrap()
}

fn told(due: &Due) -> String {
    let mut text = String::new();
    for firing in &due.fire {
        writeln!(text, "fire {} {}", firing.plan.name, firing.at).unwrap();
    }
    for missed in &due.missed {
        writeln!(text, "missed {} {} {}", missed.schedule, missed.count, missed.last).unwrap();
    }
    text
}

#[test]
fn schedule_due_fires_each_once_and_never_late() {
    let schedules = opened("2026-01-01T22:00:00Z");
    let cases = [
        ("2026-01-01T22:58:30Z", "2026-01-01T22:58:59.9Z", expect![[""]]),
        (
            "2026-01-01T22:58:59.9Z",
            "2026-01-01T22:59:00Z",
            expect![[r#"
            fire minutely 2026-01-01T22:59:00Z
        "#]],
        ),
        // Both at once; the end of the stretch belongs to it, its beginning does not.
        (
            "2026-01-01T22:59:00Z",
            "2026-01-01T23:00:00.01Z",
            expect![[r#"
            fire minutely 2026-01-01T23:00:00Z
            fire nightly 2026-01-01T23:00:00Z
        "#]],
        ),
        // The machine slept for three hours: the last minute is in time, the rest is not.
        (
            "2026-01-01T22:00:00Z",
            "2026-01-02T01:00:30Z",
            expect![[r#"
            fire minutely 2026-01-02T01:00:00Z
            missed minutely 179 2026-01-02T00:59:00Z
            missed nightly 1 2026-01-01T23:00:00Z
        "#]],
        ),
    ];
    for (from, to, expected) in cases {
        expected.assert_eq(&told(&schedules.due(at(from), at(to))));
    }
}

#[test]
fn schedule_next_runs_are_listed_for_people() {
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
fn schedule_refusals_name_the_schedule() {
    let good = || plan("s", Scheduler, "rate(1 day)");
    let cases = [
        (
            SchedulePlan { expression: "cron(0 1 * * * *)".to_owned(), ..good() },
            expect!["schedule s: Invalid Schedule Expression cron(0 1 * * * *)."],
        ),
        (
            SchedulePlan { timezone: "Europe/Atlantis".to_owned(), ..good() },
            expect!["schedule s: Invalid Schedule Expression Timezone Europe/Atlantis."],
        ),
        (
            SchedulePlan { input: Some("{not json".to_owned()), ..good() },
            expect!["schedule s: Input is not JSON: key must be a string at line 1 column 2"],
        ),
    ];
    for (plan, expected) in cases {
        let refusal = Schedules::new(vec![plan], &mut State::in_memory(), at("2026-01-01T00:00:00Z"));
        expected.assert_eq(&refusal.unwrap_err().to_string());
    }
}

/// A clock that only moves when somebody sleeps on it, and says when it has come to its end.
struct HandClock {
    now: Mutex<Timestamp>,
    end: Timestamp,
    ended: Notify,
}

impl Clock for HandClock {
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

/// Runs the trigger over a stretch of time and tells the missed runs and the firings, all of which succeed.
async fn run(plans: Vec<SchedulePlan>, file: &Path, from: &str, to: &str) -> String {
    run_with(plans, file, from, to, |delivered| delivered.send(()).unwrap()).await
}

/// What becomes of an invocation.
type Fate = fn(oneshot::Sender<()>);

/// The same; `end` decides what becomes of each invocation.
async fn run_with(plans: Vec<SchedulePlan>, file: &Path, from: &str, to: &str, end: Fate) -> String {
    let mut state = State::open(file).unwrap();
    let schedules = Schedules::new(plans, &mut state, at(from)).unwrap();
    let mut lines = told(&Due { fire: Vec::new(), missed: schedules.missed() });
    let clock = Arc::new(HandClock { now: Mutex::new(at(from)), end: at(to), ended: Notify::new() });
    let calls: Arc<Mutex<Vec<Invocation>>> = Arc::default();
    let invoke = {
        let calls = calls.clone();
        Arc::new(move |call| {
            let (delivered, heard) = oneshot::channel();
            calls.lock().unwrap().push(call);
            end(delivered);
            heard
        })
    };
    let trigger = Trigger::new(schedules, state, Place::default(), clock.clone(), invoke);
    trigger.run(clock.ended.notified()).await;
    for call in calls.lock().unwrap().iter() {
        let event: serde_json::Value = serde_json::from_slice(&call.payload).unwrap();
        writeln!(lines, "fired {} {}", call.function, event["time"].as_str().unwrap()).unwrap();
    }
    lines
}

#[tokio::test]
async fn schedule_trigger_remembers_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    let plans = || vec![plan("rated", Scheduler, "rate(1 hour)"), plan("hourly", Rule, "cron(30 * * * ? *)")];

    // Created at 10:00:01, the next whole second; a Scheduler rate fires at once.
    let first = run(plans(), &file, "2026-01-01T10:00:00.5Z", "2026-01-01T11:45:00Z").await;
    expect![[r#"
        fired rated-function 2026-01-01T10:00:01Z
        fired hourly-function 2026-01-01T10:30:00Z
        fired rated-function 2026-01-01T11:00:01Z
        fired hourly-function 2026-01-01T11:30:00Z
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

    // Down until 15:10: told, not fired. Then it goes on.
    let second = run(plans(), &file, "2026-01-01T15:10:00Z", "2026-01-01T15:45:00Z").await;
    expect![[r#"
        missed rated 4 2026-01-01T15:00:01Z
        missed hourly 3 2026-01-01T14:30:00Z
        fired hourly-function 2026-01-01T15:30:00Z
    "#]]
    .assert_eq(&second);

    // Another expression is another schedule: it has missed nothing.
    let changed = vec![plan("hourly", Rule, "cron(15 * * * ? *)")];
    let third = run(changed, &file, "2026-01-02T00:00:00Z", "2026-01-02T00:20:00Z").await;
    expect![[r#"
        fired hourly-function 2026-01-02T00:15:00Z
    "#]]
    .assert_eq(&third);
}

/// Given up after its retries, or never heard of again because the process was killed: both are missed.
#[tokio::test(start_paused = true)]
async fn schedule_a_run_that_did_not_succeed_is_told_by_the_next_start() {
    let (given_up, killed): (Fate, Fate) = (drop, std::mem::forget);
    for end in [given_up, killed] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schedules.json");
        let plans = || vec![plan("hourly", Rule, "cron(30 * * * ? *)")];
        run(plans(), &file, "2026-01-01T10:00:00Z", "2026-01-01T10:45:00Z").await;
        run_with(plans(), &file, "2026-01-01T10:45:01Z", "2026-01-01T11:45:00Z", end).await;
        let next = run(plans(), &file, "2026-01-01T11:45:01Z", "2026-01-01T11:50:00Z").await;
        assert!(next.starts_with("missed") && next.contains("2026-01-01T11:30:00Z"), "{next}");
    }
}

#[test]
fn schedule_state_tells_a_broken_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    std::fs::write(&file, "{").unwrap();
    assert!(State::open(&file).unwrap_err().to_string().contains("schedules.json: EOF"));
}

#[test]
fn schedule_missed_years_are_counted_quickly_up_to_a_bound() {
    let mut state = State::in_memory();
    let minutely = || vec![plan("minutely", Rule, "cron(* * * * ? *)")];
    Schedules::new(minutely(), &mut state, at("2020-01-01T00:00:00Z")).unwrap();
    let later = Schedules::new(minutely(), &mut state, at("2026-01-01T00:00:30Z")).unwrap();
    let missed = &later.missed()[0];
    assert_eq!((missed.count, missed.last), (10_000, at("2026-01-01T00:00:00Z")));
}
