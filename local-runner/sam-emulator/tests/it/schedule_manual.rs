//! Manual runs: the trigger records them unless they are in the future; and the texts about next and missed
//! runs.

use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use jiff::{SignedDuration, Timestamp};
use sam_emulator::invoke::BoxFuture;
use sam_emulator::overview;
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::plan::{Account, Plan, SchedulePlan};
use sam_emulator::schedule::{Clock, ManualRun, MissedRuns, ScheduleState, Schedules, Trigger};
use tokio::sync::{mpsc, oneshot};

use crate::schedule_event::plan;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plans() -> Vec<SchedulePlan> {
    vec![
        SchedulePlan {
            timezone: "Europe/Istanbul".to_owned(),
            ..plan("nightly", Scheduler, "cron(0 2 * * ? *)")
        },
        SchedulePlan { enabled: false, ..plan("never", Rule, "rate(1 minute)") },
    ]
}

/// The runs that are reported as missed when the emulator starts at `now`.
async fn missed(file: &Path, now: &str) -> Vec<MissedRuns> {
    let mut state = ScheduleState::open(file).unwrap();
    let schedules = Schedules::new(plans(), &mut state, at(now)).unwrap();
    state.save().await.unwrap();
    schedules.missed()
}

/// A clock that does not move.
struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _: std::time::Duration) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

/// Runs a trigger at `now` that receives these manual runs.
async fn record(file: &Path, now: &str, runs: &[ManualRun]) {
    let mut state = ScheduleState::open(file).unwrap();
    let schedules = Schedules::new(plans(), &mut state, at(now)).unwrap();
    let (sender, manual_runs) = mpsc::unbounded_channel();
    runs.iter().for_each(|run| sender.send(run.clone()).unwrap());
    let trigger = Trigger::new(
        schedules,
        state,
        Account::default(),
        Arc::new(FixedClock(at(now))),
        Arc::new(|_| oneshot::channel().1),
    );
    // Runs that were sent before the stop are recorded before it.
    trigger.with_manual_runs(manual_runs).run(std::future::ready(())).await;
}

#[tokio::test]
async fn a_missed_run_is_not_reported_again_after_a_manual_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    assert_eq!(missed(&file, "2026-01-01T12:00:00Z").await, []);
    let now = "2026-01-04T12:00:00Z";
    let found = missed(&file, now).await;
    assert_eq!((found.len(), found[0].count, found[0].last), (1, 3, at("2026-01-03T23:00:00Z")));

    let run = |text: &str| ManualRun { schedule: "nightly".to_owned(), at: at(text) };
    // A run in the future replaces no missed run, nor does a run of an unknown schedule.
    let unknown = ManualRun { schedule: "unknown".to_owned(), at: at(now) };
    record(&file, now, &[run("2026-01-04T12:00:01Z"), unknown]).await;
    assert_eq!(missed(&file, now).await[0].count, 3);
    // A run replaces every missed run up to it. An earlier run afterwards has no effect.
    record(&file, now, &[run("2026-01-02T23:00:00Z")]).await;
    assert_eq!(missed(&file, now).await[0].count, 1);
    record(&file, now, &[run("2026-01-03T23:00:00Z"), run("2026-01-01T23:00:00Z")]).await;
    assert_eq!(missed(&file, now).await, []);
}

#[test]
fn the_overview_lists_next_runs_and_missed_runs_with_their_command() {
    let now = at("2026-01-01T22:00:00Z");
    let schedules = Schedules::new(plans(), &mut ScheduleState::in_memory(), now).unwrap();
    expect![[r#"
        METHOD  PATH  FUNCTION

        SCHEDULED         WHEN                               NEXT RUNS
        nightly-function  cron(0 2 * * ? *) Europe/Istanbul  2026-01-02T02:00:00+03:00
        nightly-function  cron(0 2 * * ? *) Europe/Istanbul  2026-01-03T02:00:00+03:00
        never-function    rate(1 minute) UTC                 (off)
    "#]]
    .assert_eq(&overview::routes(&Plan::default(), &schedules.next_runs(now, 2)));

    let mut state = ScheduleState::in_memory();
    Schedules::new(plans(), &mut state, now).unwrap();
    let later = Schedules::new(plans(), &mut state, now + SignedDuration::from_hours(30)).unwrap();
    expect![[r#"
        [
            "missed       nightly-function: 2 runs, the last at 2026-01-02T23:00:00Z; to make up for it: fire nightly --at 2026-01-02T23:00:00Z",
        ]
    "#]]
    .assert_debug_eq(&overview::missed(&later.missed()));
}
