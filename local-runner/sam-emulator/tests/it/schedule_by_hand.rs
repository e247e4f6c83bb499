//! Runs fired by hand: remembered by the trigger that serves, unless they are still to come; and what people are
//! shown of runs that come and runs that were missed.

use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use jiff::{SignedDuration, Timestamp};
use sam_emulator::invoke::BoxFuture;
use sam_emulator::overview;
use sam_emulator::plan::ScheduleKind::{Rule, Scheduler};
use sam_emulator::plan::{Plan, SchedulePlan};
use sam_emulator::schedule::{Clock, Fired, Missed, Place, Schedules, State, Trigger};
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

/// What was missed when a runner starts at `now`.
async fn missed(file: &Path, now: &str) -> Vec<Missed> {
    let mut state = State::open(file).unwrap();
    let schedules = Schedules::new(plans(), &mut state, at(now)).unwrap();
    state.save().await.unwrap();
    schedules.missed()
}

/// A clock that stands still.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _: std::time::Duration) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

/// Tells a trigger that runs at `now` what was fired by hand.
async fn tell(file: &Path, now: &str, fired: &[Fired]) {
    let mut state = State::open(file).unwrap();
    let schedules = Schedules::new(plans(), &mut state, at(now)).unwrap();
    let (told, by_hand) = mpsc::unbounded_channel();
    fired.iter().for_each(|fired| told.send(fired.clone()).unwrap());
    let trigger = Trigger::new(
        schedules,
        state,
        Place::default(),
        Arc::new(Still(at(now))),
        Arc::new(|_| oneshot::channel().1),
    );
    // What was told before the end is noted before it.
    trigger.hearing(by_hand).run(std::future::ready(())).await;
}

#[tokio::test]
async fn a_missed_run_fired_by_hand_is_not_reported_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schedules.json");
    assert_eq!(missed(&file, "2026-01-01T12:00:00Z").await, []);
    let now = "2026-01-04T12:00:00Z";
    let found = missed(&file, now).await;
    assert_eq!((found.len(), found[0].count, found[0].last), (1, 3, at("2026-01-03T23:00:00Z")));

    let fired = |text: &str| Fired { schedule: "nightly".to_owned(), at: at(text) };
    // A run that is still to come makes up for nothing, nor does one of another schedule.
    let nobody = Fired { schedule: "nobody".to_owned(), at: at(now) };
    tell(&file, now, &[fired("2026-01-04T12:00:01Z"), nobody]).await;
    assert_eq!(missed(&file, now).await[0].count, 3);
    // An early one makes up for those up to it; a repeat of it takes nothing back.
    tell(&file, now, &[fired("2026-01-02T23:00:00Z")]).await;
    assert_eq!(missed(&file, now).await[0].count, 1);
    tell(&file, now, &[fired("2026-01-03T23:00:00Z"), fired("2026-01-01T23:00:00Z")]).await;
    assert_eq!(missed(&file, now).await, []);
}

#[test]
fn people_are_shown_what_comes_and_what_was_missed() {
    let now = at("2026-01-01T22:00:00Z");
    let schedules = Schedules::new(plans(), &mut State::in_memory(), now).unwrap();
    expect![[r#"
        METHOD  PATH  FUNCTION

        SCHEDULED         WHEN                               NEXT RUNS
        nightly-function  cron(0 2 * * ? *) Europe/Istanbul  2026-01-02T02:00:00+03:00
        nightly-function  cron(0 2 * * ? *) Europe/Istanbul  2026-01-03T02:00:00+03:00
        never-function    rate(1 minute) UTC                 (off)
    "#]]
    .assert_eq(&overview::routes(&Plan::default(), &schedules.next_runs(now, 2)));

    let mut state = State::in_memory();
    Schedules::new(plans(), &mut state, now).unwrap();
    let later = Schedules::new(plans(), &mut state, now + SignedDuration::from_hours(30)).unwrap();
    expect![[r#"
        [
            "missed       nightly-function: 2 runs, the last at 2026-01-02T23:00:00Z; to make up for it: fire nightly --at 2026-01-02T23:00:00Z",
        ]
    "#]]
    .assert_debug_eq(&overview::missed(&later.missed()));
}
