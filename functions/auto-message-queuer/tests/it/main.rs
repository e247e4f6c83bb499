//! `auto-message-queuer` on its own, at given times over an embedded store: what it queues, when it stops, what a
//! failure leaves, and several runs at once.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::Embedded;
use auto_message_queuer::Report;
use serde_json::json;
use shared::auto_message::{SENDING_QUEUE, SendingJob};
use shared::error::Error;
use shared::lambda::leak;
use shared::lambda::schedule::{ScheduledRun, schedule};
use shared::ports::AutoMessages;
use test_support::auto_messages::{NIGHT, insert_users, plan_rows, scheduled_run, time, unqueued_rows};
use test_support::events::{assert_foreign_events_fail, invoke_event, schedule_event};
use test_support::faulty_store::{CallFailure, FaultyStore};
use tokio::sync::Barrier;

const SECOND: Duration = Duration::from_secs(1);

/// How often each planned row is in the queue, by the row's id. It takes the jobs out of the queue.
async fn take_jobs(store: &Embedded) -> BTreeMap<String, usize> {
    let mut jobs = BTreeMap::new();
    for delivery in store.receive(SENDING_QUEUE, u32::MAX).await.unwrap() {
        let job: SendingJob = serde_json::from_slice(&delivery.message.body).unwrap();
        assert_eq!(job.auto_message_id.as_str(), delivery.message.id, "message-id is the row's id");
        *jobs.entry(delivery.message.id).or_default() += 1;
    }
    jobs
}

async fn run(store: &Embedded, run: ScheduledRun) -> Report {
    auto_message_queuer::handle(store, store, run).await.unwrap()
}

#[tokio::test]
async fn due_rows_are_queued_once_and_later_rows_wait() {
    let store: &'static Embedded = leak(Embedded::temporary().unwrap());
    let users = insert_users(store, 20).await;
    let due = plan_rows(store, &users, 1_201, time(NIGHT)).await;
    plan_rows(store, &users, 3, time(NIGHT) + Duration::from_millis(1)).await;
    let entry = schedule(move |run| auto_message_queuer::handle(store, store, run));
    for queued in [1_201, 0] {
        let report = invoke_event(&entry, &schedule_event(NIGHT)).await.unwrap();
        assert_eq!(report, json!({ "queued": queued, "outOfTime": false }));
    }
    let jobs = take_jobs(store).await;
    assert_eq!(jobs.len(), 1_201);
    assert!(due.iter().all(|row| jobs.get(row.id.as_str()) == Some(&1)));
    assert_eq!(unqueued_rows(store).await.len(), 3);
    assert_eq!(run(store, scheduled_run(time(NIGHT) + SECOND, 1)).await.queued, 3);
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    let store: &'static Embedded = leak(Embedded::temporary().unwrap());
    let entry = schedule(move |run| auto_message_queuer::handle(store, store, run));
    assert_foreign_events_fail(&entry).await;
}

#[tokio::test]
async fn rows_are_not_queued_before_their_send_date() {
    let store = Embedded::temporary().unwrap();
    let users = insert_users(&store, 4).await;
    plan_rows(&store, &users, 2, time(NIGHT)).await;
    let early = run(&store, scheduled_run(time(NIGHT) - Duration::from_millis(1), 1)).await;
    assert_eq!(early, Report { queued: 0, out_of_time: false });
    assert!(take_jobs(&store).await.is_empty());
}

#[tokio::test]
async fn run_out_of_time_leaves_the_rest_to_the_next_run() {
    let store = Embedded::temporary().unwrap();
    let users = insert_users(&store, 20).await;
    plan_rows(&store, &users, 1_100, time(NIGHT)).await;
    // Ten seconds are reserved for the last batch, so none are left for others.
    let hurried = |seconds| ScheduledRun { budget: Some(SECOND * seconds), ..scheduled_run(time(NIGHT), 1) };
    assert_eq!(run(&store, hurried(10)).await, Report { queued: 500, out_of_time: true });
    assert_eq!(run(&store, hurried(0)).await, Report { queued: 500, out_of_time: true });
    let last = run(&store, scheduled_run(time(NIGHT), 1)).await;
    assert_eq!(last, Report { queued: 100, out_of_time: false });
    assert!(take_jobs(&store).await.values().all(|times| *times == 1));
}

/// While the lease lasts no run takes the rows. After that they are queued again, at worst a second time.
#[tokio::test]
async fn rows_of_a_failed_run_are_queued_when_their_lease_has_expired() {
    use CallFailure::{ReplyLost, Unreachable};
    for (call, failure, copies, queued_again) in [
        ("publish", Unreachable, 1, 3),
        ("publish", ReplyLost, 2, 3),
        ("mark_queued", Unreachable, 2, 3),
        ("mark_queued", ReplyLost, 1, 0),
    ] {
        let store = Embedded::temporary().unwrap();
        let users = insert_users(&store, 6).await;
        let rows = plan_rows(&store, &users, 3, time(NIGHT)).await;
        let faulty = FaultyStore::new(&store).failing(call, 1, failure);
        let failed = auto_message_queuer::handle(&faulty, &faulty, scheduled_run(time(NIGHT), 1)).await;
        assert!(matches!(failed, Err(Error::Unavailable(_))), "{call} {failure:?}: {failed:?}");
        let later = |seconds| scheduled_run(time(NIGHT) + SECOND * seconds, 1);
        assert_eq!(run(&store, later(54)).await.queued, 0, "{call} {failure:?}: the lease lasts");
        assert_eq!(run(&store, later(55)).await.queued, queued_again, "{call} {failure:?}");
        let jobs = take_jobs(&store).await;
        assert!(jobs.len() == 3 && jobs.values().all(|n| *n == copies), "{call} {failure:?}: {jobs:?}");
        let row = AutoMessages::get(&store, &rows[0].id).await.unwrap().unwrap();
        assert_eq!(row.attempts, if queued_again == 0 { 1 } else { 2 }, "each claim is an attempt");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_concurrent_runs_queue_each_row_once() {
    let store = Embedded::temporary().unwrap();
    let users = insert_users(&store, 20).await;
    plan_rows(&store, &users, 5_000, time(NIGHT)).await;
    let start = Arc::new(Barrier::new(8));
    let runs = (0..8).map(|seed| {
        let (store, start) = (store.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            run(&store, scheduled_run(time(NIGHT), seed)).await.queued
        })
    });
    let queued: Vec<u64> = futures::future::try_join_all(runs).await.unwrap();
    assert_eq!(queued.iter().sum::<u64>(), 5_000);
    let jobs = take_jobs(&store).await;
    assert!(jobs.len() == 5_000 && jobs.values().all(|times| *times == 1));
    assert_eq!(store.backlog(time(NIGHT)).await.unwrap(), 0);
}
