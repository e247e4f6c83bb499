//! Runs after a crash, and several runs at the same time: no user takes part twice.

use adapter_embedded::Embedded;
use expect_test::expect;
use futures::FutureExt as _;
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages as _, Users as _};
use test_support::auto_messages::{
    NIGHT, hours, insert_users, participants, scheduled_run, time, unqueued_rows, user_seen_at,
};
use test_support::faulty_store::{CallFailure, FaultyStore};

use super::{invoke, run};

/// The crash is a lost answer: the store has the rows, but the run does not know.
#[tokio::test]
async fn run_after_a_crash_adds_only_what_is_missing() {
    let store = Embedded::temporary().unwrap();
    insert_users(&store, 9).await;
    let crashing = FaultyStore::new(&store).failing("plan", 1, CallFailure::ReplyLost);
    run(&store, &crashing, scheduled_run(time(NIGHT), 1)).await.unwrap_err();
    assert_eq!(unqueued_rows(&store).await.len(), 4);
    for newcomer in ["nina", "noah", "nell"] {
        store.insert(&user_seen_at(newcomer, time(NIGHT))).await.unwrap();
    }
    let before = unqueued_rows(&store).await;
    let report = invoke(&store, &[], "2096-12-02T06:00:00Z").await;
    expect![[r#"{"planned":2,"plannedFor":"2096-12-02","users":4}"#]].assert_eq(&report.to_string());
    let after = unqueued_rows(&store).await;
    assert_eq!(participants(&after).len(), 12);
    for row in before {
        let same = after.iter().find(|other| other.id == row.id).unwrap();
        assert_eq!((&same.receiver_id, same.send_date), (&row.receiver_id, row.send_date));
    }
}

/// The second run plans everything, a newcomer too, after the first run has read the users and before it plans.
#[tokio::test]
async fn concurrent_runs_that_read_different_users_plan_each_user_once() {
    for count in [9, 10, 40] {
        let store = Embedded::temporary().unwrap();
        insert_users(&store, count).await;
        let second_run = async {
            store.insert(&user_seen_at("newcomer", time(NIGHT))).await.unwrap();
            run(&store, &store, scheduled_run(time(NIGHT), 2)).await.unwrap();
        };
        let interrupted = FaultyStore::new(&store).before("plan", second_run.boxed());
        run(&store, &interrupted, scheduled_run(time(NIGHT), 1)).await.unwrap();
        let rows = unqueued_rows(&store).await;
        assert_eq!(participants(&rows).len(), (count + 1) & !1, "all users but an odd one, {count}");
    }
}

/// The other run stored one pair, which takes one user each from two of our pairs. Their partners are paired with
/// each other.
#[tokio::test]
async fn users_who_lose_their_partner_to_a_concurrent_run_are_paired_again() {
    let store = Embedded::temporary().unwrap();
    insert_users(&store, 10).await;
    // A run over users with the same ids shows which pairs ours will be.
    let trial = Embedded::temporary().unwrap();
    for id in &store.active(time(NIGHT) - hours(24), None, 100).await.unwrap() {
        trial.insert(&user_with_id(id)).await.unwrap();
    }
    run(&trial, &trial, scheduled_run(time(NIGHT), 1)).await.unwrap();
    let ours = unqueued_rows(&trial).await;
    let crossing = AutoMessage {
        id: AutoMessageId::trusted("crossing"),
        sender_id: ours[0].receiver_id.clone(),
        receiver_id: ours[1].sender_id.clone(),
        ..ours[0].clone()
    };
    let other_run = async { assert_eq!(store.plan(std::slice::from_ref(&crossing)).await.unwrap(), 1) };
    let interrupted = FaultyStore::new(&store).before("plan", other_run.boxed());
    let report = run(&store, &interrupted, scheduled_run(time(NIGHT), 1)).await.unwrap();
    assert_eq!((report.users, report.planned), (10, 4));
    assert_eq!(participants(&unqueued_rows(&store).await).len(), 10);
}

fn user_with_id(id: &UserId) -> shared::user::User {
    let mut user = user_seen_at(&format!("user{}", id.as_str()[20..].to_lowercase()), time(NIGHT));
    user.id = id.clone();
    user
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_concurrent_runs_plan_the_day_once() {
    for round in 0..5 {
        let store = Embedded::temporary().unwrap();
        insert_users(&store, 301).await;
        let runs = (0..8).map(|seed| {
            let store = store.clone();
            tokio::spawn(async move { run(&store, &store, scheduled_run(time(NIGHT), seed)).await.unwrap() })
        });
        let reports = futures::future::try_join_all(runs).await.unwrap();
        assert_eq!(reports.iter().map(|report| report.planned).sum::<u64>(), 150, "round {round}");
        assert_eq!(participants(&unqueued_rows(&store).await).len(), 300);
    }
}
