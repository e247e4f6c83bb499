//! One run at a time.

use std::time::Duration;

use adapter_embedded::Embedded;
use expect_test::expect;
use shared::auto_message::AutoMessage;
use shared::lambda::schedule::ScheduledRun;
use shared::ports::{AutoMessages as _, Users as _};
use test_support::auto_messages::{
    DAY, NIGHT, hours, insert_users, participants, scheduled_run, time, unqueued_rows, user_seen_at,
};
use test_support::events::assert_foreign_events_fail;
use test_support::faulty_store::{CallFailure, FaultyStore};

use super::{entry, invoke, run};

#[tokio::test]
async fn of_101_users_50_pairs_are_planned_and_one_user_is_left_out() {
    let store = Embedded::temporary().unwrap();
    let all = insert_users(&store, 101).await;
    let report = invoke(&store, &[], NIGHT).await;
    expect![[r#"{"planned":50,"plannedFor":"2096-12-02","users":101}"#]].assert_eq(&report.to_string());
    let rows = unqueued_rows(&store).await;
    assert_eq!((rows.len(), participants(&rows).len()), (50, 100));
    assert!(participants(&rows).iter().all(|user| all.contains(user)));
    for row in &rows {
        let wait = row.send_date.millis() - time(NIGHT).millis();
        assert!(wait > 0 && wait <= hours(24).as_millis() as i64, "{row:?}");
        assert_eq!((row.planned_for.as_str(), row.is_queued, row.is_sent), (DAY, false, false));
        assert!(!row.content.is_empty());
    }
    // The rows are spread over the day, and their contents vary.
    let early = rows.iter().filter(|row| row.send_date < time(NIGHT) + hours(12)).count();
    assert!((10..=40).contains(&early), "{early} of 50 are in the first half");
    assert!(rows.iter().any(|row| row.content != rows[0].content));
}

#[tokio::test]
async fn second_run_of_a_day_adds_nothing_and_the_next_day_is_planned_anew() {
    let store = Embedded::temporary().unwrap();
    insert_users(&store, 11).await;
    invoke(&store, &[], NIGHT).await;
    let first = unqueued_rows(&store).await;
    // The same time, later that day, and the day's last second.
    for time in [NIGHT, "2096-12-02T09:30:00Z", "2096-12-02T20:59:59Z"] {
        let report = invoke(&store, &[], time).await;
        expect![[r#"{"planned":0,"plannedFor":"2096-12-02","users":1}"#]].assert_eq(&report.to_string());
    }
    let keys =
        |rows: &[AutoMessage]| rows.iter().map(|row| (row.id.clone(), row.send_date)).collect::<Vec<_>>();
    assert_eq!(keys(&unqueued_rows(&store).await), keys(&first));
    let next = invoke(&store, &[], "2096-12-02T23:00:00Z").await;
    expect![[r#"{"planned":5,"plannedFor":"2096-12-03","users":11}"#]].assert_eq(&next.to_string());
}

#[tokio::test]
async fn planned_day_is_the_day_in_the_time_zone() {
    let cases = [
        ("Europe/Istanbul", "2096-12-01T23:00:00Z", "2096-12-02"),
        ("Europe/Istanbul", "2096-12-01T20:59:59Z", "2096-12-01"),
        ("Europe/Istanbul", "2096-12-01T21:00:00Z", "2096-12-02"),
        ("UTC", "2096-12-01T23:00:00Z", "2096-12-01"),
        ("America/New_York", "2096-12-02T03:00:00Z", "2096-12-01"),
        ("Pacific/Auckland", "2096-12-01T13:00:00Z", "2096-12-02"),
    ];
    for (zone, time, day) in cases {
        let store = Embedded::temporary().unwrap();
        insert_users(&store, 2).await;
        let report = invoke(&store, &[("PLANNER_TIMEZONE", zone)], time).await;
        assert_eq!((&report["plannedFor"], &report["planned"]), (&day.into(), &1.into()), "{zone} {time}");
    }
}

#[tokio::test]
async fn inactive_and_deactivated_users_are_left_out() {
    let now = time(NIGHT);
    let days = |count: u64| hours(24 * count);
    let cases: [(&str, _, bool, bool); 6] = [
        ("seen just now", now, false, true),
        ("seen exactly 30 days ago", now - days(30), false, true),
        ("seen a millisecond earlier", now - days(30) - Duration::from_millis(1), false, false),
        ("seen a year ago", now - days(365), false, false),
        ("deactivated", now, true, false),
        ("seen after the run", now + hours(5), false, true),
    ];
    for (case, seen, deactivated, takes_part) in cases {
        let store = Embedded::temporary().unwrap();
        insert_users(&store, 1).await;
        let mut candidate = user_seen_at("candidate", seen);
        candidate.deactivated_at = deactivated.then_some(seen);
        store.insert(&candidate).await.unwrap();
        let report = invoke(&store, &[], NIGHT).await;
        assert_eq!(report["planned"], u64::from(takes_part), "{case}");
        let planned = store.planned_users(DAY, &[candidate.id]).await.unwrap().len();
        assert_eq!(planned, usize::from(takes_part), "{case}");
    }
}

#[tokio::test]
async fn active_days_is_a_setting() {
    let store = Embedded::temporary().unwrap();
    for (name, days) in [("old", 300), ("older", 360)] {
        store.insert(&user_seen_at(name, time(NIGHT) - hours(24 * days))).await.unwrap();
    }
    assert_eq!(invoke(&store, &[("ACTIVE_DAYS", "359")], NIGHT).await["planned"], 0);
    assert_eq!(invoke(&store, &[("ACTIVE_DAYS", "360")], NIGHT).await["planned"], 1);
}

#[tokio::test]
async fn texts_and_send_window_are_settings() {
    let store = Embedded::temporary().unwrap();
    insert_users(&store, 40).await;
    let variables = [("AUTO_MESSAGE_TEXTS", "selam| hello "), ("SEND_WINDOW_MINUTES", "3")];
    invoke(&store, &variables, NIGHT).await;
    let rows = unqueued_rows(&store).await;
    assert_eq!(rows.len(), 20);
    for text in ["selam", "hello"] {
        assert!(rows.iter().any(|row| row.content == text), "{text}");
    }
    assert!(rows.iter().all(|row| row.send_date <= time(NIGHT) + Duration::from_secs(180)));
}

#[tokio::test]
async fn same_randomness_gives_the_same_plan_and_the_day_alone_decides_the_pairs() {
    let mut plans = Vec::new();
    let users: Vec<_> = (0..20).map(|n| user_seen_at(&format!("u{n}x"), time(NIGHT))).collect();
    for seed in [1, 1, 2] {
        let store = Embedded::temporary().unwrap();
        for user in &users {
            store.insert(user).await.unwrap();
        }
        run(&store, &store, scheduled_run(time(NIGHT), seed)).await.unwrap();
        plans.push(unqueued_rows(&store).await);
    }
    assert_eq!(plans[0], plans[1]);
    assert_ne!(plans[0], plans[2], "another seed gives other texts and times");
    let pairs = |rows: &[AutoMessage]| {
        rows.iter().map(|r| (r.sender_id.clone(), r.receiver_id.clone())).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&plans[0]), pairs(&plans[2]));
}

#[tokio::test]
async fn fewer_than_two_users_plan_nothing() {
    for count in [0, 1] {
        let store = Embedded::temporary().unwrap();
        insert_users(&store, count).await;
        assert_eq!(invoke(&store, &[], NIGHT).await["planned"], 0, "{count}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_with_a_deadline_waits_for_an_unreachable_store() {
    let store = Embedded::temporary().unwrap();
    insert_users(&store, 10).await;
    let night = |budget| ScheduledRun { budget, ..scheduled_run(time(NIGHT), 1) };
    let (lambdas, none) = (Some(Duration::from_secs(900)), None);
    for (budget, failures, waited) in [(none, u32::MAX, 0), (lambdas, u32::MAX, 240), (lambdas, 12, 60)] {
        let unreachable =
            FaultyStore::new(&store).failing("planned_users", failures, CallFailure::Unreachable);
        let start = tokio::time::Instant::now();
        let done = run(&store, &unreachable, night(budget)).await;
        let elapsed = start.elapsed().as_secs();
        // A paused clock also advances while the store's thread works, so after a success only a minimum is known.
        assert!(elapsed >= waited, "{failures} failures: {elapsed} s");
        match failures {
            12 => assert_eq!(done.unwrap().planned, 5, "the plan is made when the store is back"),
            _ => assert!(done.is_err() && elapsed <= waited + 5, "{budget:?}: {elapsed} s"),
        }
    }
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    let store = Embedded::temporary().unwrap();
    assert_foreign_events_fail(&entry(&store, &[])).await;
}
