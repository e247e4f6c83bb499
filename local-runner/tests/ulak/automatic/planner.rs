//! The planner at given instants: who takes part, in what pairs, for which day, and what a second run changes.

use std::time::Duration;

use adapter_embedded::Embedded;
use expect_test::expect;
use futures::FutureExt as _;
use serde_json::Value;
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::lambda::invoke;
use shared::lambda::schedule::{ScheduledRun, schedule};
use shared::ports::{AutoMessages as _, Users as _};

use super::faults::{Fault, Faulty};
use super::scene::{DAY, NIGHT, at, firing, hours, parts, people, settings, tick, unqueued, user};

/// The planner behind its door, on an embedded store.
async fn fire(store: &Embedded, variables: &[(&str, &str)], time: &str) -> Value {
    let (store, settings): (&'static Embedded, _) = (Box::leak(Box::new(store.clone())), settings(variables));
    let settings: &'static auto_message_planner::Settings = Box::leak(Box::new(settings));
    let entry = schedule(move |tick| auto_message_planner::handle(store, store, settings, tick));
    let event = firing(time).to_string();
    let reply = invoke(&entry, "an-invocation".to_owned(), u64::MAX, event.as_bytes()).await;
    serde_json::from_str(&reply.unwrap()).unwrap()
}

#[tokio::test]
async fn hundred_and_one_are_fifty_pairs_and_one_rests() {
    let store = Embedded::temporary().unwrap();
    let all = people(&store, 101).await;
    let report = fire(&store, &[], NIGHT).await;
    expect![[r#"{"planned":50,"plannedFor":"2096-12-02","users":101}"#]].assert_eq(&report.to_string());
    let rows = unqueued(&store).await;
    assert_eq!((rows.len(), parts(&rows).len()), (50, 100));
    assert!(parts(&rows).iter().all(|user| all.contains(user)));
    for row in &rows {
        let wait = row.send_date.millis() - at(NIGHT).millis();
        assert!(wait > 0 && wait <= hours(24).as_millis() as i64, "{row:?}");
        assert_eq!((row.planned_for.as_str(), row.is_queued, row.is_sent), (DAY, false, false));
        assert!(!row.content.is_empty());
    }
    // Spread over the window, not heaped, and not all the same words.
    let early = rows.iter().filter(|row| row.send_date < at(NIGHT) + hours(12)).count();
    assert!((10..=40).contains(&early), "{early} of 50 in the first half");
    assert!(rows.iter().any(|row| row.content != rows[0].content));
}

#[tokio::test]
async fn a_second_run_of_the_day_adds_none_and_the_next_day_has_its_own() {
    let store = Embedded::temporary().unwrap();
    people(&store, 11).await;
    fire(&store, &[], NIGHT).await;
    let first = unqueued(&store).await;
    // The same instant, later that day, its last moment.
    for time in [NIGHT, "2096-12-02T09:30:00Z", "2096-12-02T20:59:59Z"] {
        let report = fire(&store, &[], time).await;
        expect![[r#"{"planned":0,"plannedFor":"2096-12-02","users":1}"#]].assert_eq(&report.to_string());
    }
    let same: Vec<_> = unqueued(&store).await.iter().map(|row| (row.id.clone(), row.send_date)).collect();
    assert_eq!(same, first.iter().map(|row| (row.id.clone(), row.send_date)).collect::<Vec<_>>());
    let next = fire(&store, &[], "2096-12-02T23:00:00Z").await;
    expect![[r#"{"planned":5,"plannedFor":"2096-12-03","users":11}"#]].assert_eq(&next.to_string());
}

#[tokio::test]
async fn the_time_zone_decides_the_day() {
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
        people(&store, 2).await;
        let report = fire(&store, &[("PLANNER_TIMEZONE", zone)], time).await;
        assert_eq!((&report["plannedFor"], &report["planned"]), (&day.into(), &1.into()), "{zone} {time}");
    }
}

#[tokio::test]
async fn who_has_been_away_or_has_left_is_out() {
    let now = at(NIGHT);
    let day = |days: u64| hours(24 * days);
    let cases: [(&str, _, bool, bool); 6] = [
        ("just seen", now, false, true),
        ("a month ago to the moment", now - day(30), false, true),
        ("a moment longer ago", now - day(30) - Duration::from_millis(1), false, false),
        ("a year ago", now - day(365), false, false),
        ("left", now, true, false),
        ("seen later than the run", now + hours(5), false, true),
    ];
    for (case, seen, left, takes_part) in cases {
        let store = Embedded::temporary().unwrap();
        people(&store, 1).await;
        let mut candidate = user("candidate", seen);
        candidate.deactivated_at = left.then_some(seen);
        store.insert(&candidate).await.unwrap();
        let report = fire(&store, &[], NIGHT).await;
        assert_eq!(report["planned"], u64::from(takes_part), "{case}");
        let planned = store.planned_users(DAY, &[candidate.id]).await.unwrap().len();
        assert_eq!(planned, usize::from(takes_part), "{case}");
    }
    let store = Embedded::temporary().unwrap();
    store.insert(&user("old", now - day(300))).await.unwrap();
    store.insert(&user("older", now - day(360))).await.unwrap();
    assert_eq!(fire(&store, &[("ACTIVE_DAYS", "359")], NIGHT).await["planned"], 0);
    assert_eq!(fire(&store, &[("ACTIVE_DAYS", "360")], NIGHT).await["planned"], 1);
}

#[tokio::test]
async fn words_and_window_are_settings() {
    let store = Embedded::temporary().unwrap();
    people(&store, 40).await;
    fire(&store, &[("AUTO_MESSAGE_TEXTS", "selam| hello "), ("SEND_WINDOW_MINUTES", "3")], NIGHT).await;
    let rows = unqueued(&store).await;
    assert_eq!(rows.len(), 20);
    for text in ["selam", "hello"] {
        assert!(rows.iter().any(|row| row.content == text), "{text}");
    }
    assert!(rows.iter().all(|row| row.send_date <= at(NIGHT) + Duration::from_secs(180)));
}

#[tokio::test]
async fn the_same_randomness_plans_the_same() {
    let mut plans = Vec::new();
    let people: Vec<_> = (0..20).map(|n| user(&format!("u{n}x"), at(NIGHT))).collect();
    for seed in [1, 1, 2] {
        let store = Embedded::temporary().unwrap();
        for person in &people {
            store.insert(person).await.unwrap();
        }
        auto_message_planner::handle(&store, &store, &settings(&[]), tick(at(NIGHT), seed)).await.unwrap();
        plans.push(unqueued(&store).await);
    }
    assert_eq!(plans[0], plans[1]);
    assert_ne!(plans[0], plans[2], "another seed, other words and times");
    let pairs = |rows: &[AutoMessage]| {
        rows.iter().map(|r| (r.sender_id.clone(), r.receiver_id.clone())).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&plans[0]), pairs(&plans[2]), "the pairs are the day's");
}

#[tokio::test]
async fn a_late_run_adds_only_what_is_missing() {
    let store = Embedded::temporary().unwrap();
    people(&store, 9).await;
    // A crash after the store had the rows: the answer never came.
    let lost = Faulty::over(&store).failing("plan", 1, Fault::AnswerLost);
    auto_message_planner::handle(&store, &lost, &settings(&[]), tick(at(NIGHT), 1)).await.unwrap_err();
    assert_eq!(unqueued(&store).await.len(), 4);
    for newcomer in ["nina", "noah", "nell"] {
        store.insert(&user(newcomer, at(NIGHT))).await.unwrap();
    }
    let before = unqueued(&store).await;
    let report = fire(&store, &[], "2096-12-02T06:00:00Z").await;
    expect![[r#"{"planned":2,"plannedFor":"2096-12-02","users":4}"#]].assert_eq(&report.to_string());
    let after = unqueued(&store).await;
    assert_eq!(parts(&after).len(), 12);
    for row in before {
        let same = after.iter().find(|other| other.id == row.id).unwrap();
        assert_eq!((&same.receiver_id, same.send_date), (&row.receiver_id, row.send_date));
    }
}

/// A second planner plans everything, a newcomer too, while the first one holds a list without the newcomer.
#[tokio::test]
async fn two_planners_that_see_different_users_give_nobody_two_parts() {
    for count in [9, 10, 40] {
        let store = Embedded::temporary().unwrap();
        people(&store, count).await;
        let other = async {
            store.insert(&user("newcomer", at(NIGHT))).await.unwrap();
            let rival = settings(&[]);
            auto_message_planner::handle(&store, &store, &rival, tick(at(NIGHT), 2)).await.unwrap();
        };
        let first = Faulty::over(&store).before("plan", other.boxed());
        auto_message_planner::handle(&store, &first, &settings(&[]), tick(at(NIGHT), 1)).await.unwrap();
        let rows = unqueued(&store).await;
        assert_eq!(parts(&rows).len(), (count + 1) & !1, "all but an odd one out, {count}");
    }
}

/// The rival was cut off after one pair that crosses two of ours: those whom it left alone find each other.
#[tokio::test]
async fn whom_a_rival_left_alone_is_paired_again() {
    let store = Embedded::temporary().unwrap();
    people(&store, 10).await;
    let trial = Embedded::temporary().unwrap();
    let everybody = store.active(at(NIGHT) - hours(24), None, 100).await.unwrap();
    let mirrored = |id: &UserId| {
        let mut twin = user(&format!("twin{}", id.as_str()[20..].to_lowercase()), at(NIGHT));
        twin.id = id.clone();
        twin
    };
    for id in &everybody {
        trial.insert(&mirrored(id)).await.unwrap();
    }
    auto_message_planner::handle(&trial, &trial, &settings(&[]), tick(at(NIGHT), 1)).await.unwrap();
    let ours = unqueued(&trial).await;
    let crossing = AutoMessage {
        id: AutoMessageId::trusted("crossing"),
        sender_id: ours[0].receiver_id.clone(),
        receiver_id: ours[1].sender_id.clone(),
        ..ours[0].clone()
    };
    let rival = async { assert_eq!(store.plan(std::slice::from_ref(&crossing)).await.unwrap(), 1) };
    let first = Faulty::over(&store).before("plan", rival.boxed());
    let report =
        auto_message_planner::handle(&store, &first, &settings(&[]), tick(at(NIGHT), 1)).await.unwrap();
    assert_eq!((report.users, report.planned), (10, 4));
    assert_eq!(parts(&unqueued(&store).await).len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_planners_at_once_plan_the_day_once() {
    for round in 0..5 {
        let store = Embedded::temporary().unwrap();
        people(&store, 301).await;
        let runs = (0..8).map(|seed| {
            let store = store.clone();
            tokio::spawn(async move {
                let settings = settings(&[]);
                auto_message_planner::handle(&store, &store, &settings, tick(at(NIGHT), seed)).await.unwrap()
            })
        });
        let reports = futures::future::try_join_all(runs).await.unwrap();
        assert_eq!(reports.iter().map(|report| report.planned).sum::<u64>(), 150, "round {round}");
        assert_eq!(parts(&unqueued(&store).await).len(), 300);
    }
}

#[tokio::test]
async fn nobody_and_somebody_alone_plan_nothing() {
    for count in [0, 1] {
        let store = Embedded::temporary().unwrap();
        people(&store, count).await;
        assert_eq!(fire(&store, &[], NIGHT).await["planned"], 0, "{count}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_two_is_waited_for() {
    let store = Embedded::temporary().unwrap();
    people(&store, 10).await;
    let night = |budget| ScheduledRun { budget, ..tick(at(NIGHT), 1) };
    let (whole, none) = (Some(Duration::from_secs(900)), None);
    for (budget, failures, waited) in [(none, u32::MAX, 0), (whole, u32::MAX, 240), (whole, 12, 60)] {
        let away = Faulty::over(&store).failing("planned", failures, Fault::Down);
        let begun = tokio::time::Instant::now();
        let done = auto_message_planner::handle(&store, &away, &settings(&[]), night(budget)).await;
        let elapsed = begun.elapsed().as_secs();
        // A clock that stands still jumps on while the store's own thread works, so a success says no more.
        assert!(elapsed >= waited, "{failures} failures: {elapsed} s");
        match failures {
            12 => assert_eq!(done.unwrap().planned, 5, "as soon as it is back"),
            _ => assert!(done.is_err() && elapsed <= waited + 5, "{budget:?}: {elapsed} s"),
        }
    }
}
