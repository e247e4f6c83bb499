//! The queuer at given instants: what it takes, when it stops, what a failure leaves, and several at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::Embedded;
use auto_message_queuer::Report;
use expect_test::expect;
use shared::auto_message::{SENDING_QUEUE, SendingJob};
use shared::error::Error;
use shared::lambda::invoke;
use shared::lambda::schedule::{ScheduledRun, schedule};
use shared::ports::AutoMessages;
use tokio::sync::Barrier;

use super::faults::{Fault, Faulty};
use super::scene::{NIGHT, Pushed, at, batch, chat, connect, firing, history, people, plan, tick, unqueued};

const SECOND: Duration = Duration::from_secs(1);

/// How often each planned row stands in the queue, by the row's id.
async fn queue(store: &Embedded) -> BTreeMap<String, usize> {
    let mut jobs = BTreeMap::new();
    for delivery in store.receive(SENDING_QUEUE, u32::MAX).await.unwrap() {
        let job: SendingJob = serde_json::from_slice(&delivery.message.body).unwrap();
        assert_eq!(job.auto_message_id.as_str(), delivery.message.id, "message-id names the row");
        *jobs.entry(delivery.message.id).or_default() += 1;
    }
    jobs
}

async fn run(store: &Embedded, tick: ScheduledRun) -> Report {
    auto_message_queuer::handle(store, store, tick).await.unwrap()
}

#[tokio::test]
async fn everything_due_is_queued_once_and_the_rest_waits() {
    let store: &'static Embedded = Box::leak(Box::new(Embedded::temporary().unwrap()));
    let people = people(store, 20).await;
    let due = plan(store, &people, 1_201, at(NIGHT)).await;
    plan(store, &people, 3, at(NIGHT) + Duration::from_millis(1)).await;
    let entry = schedule(move |tick| auto_message_queuer::handle(store, store, tick));
    let event = firing(NIGHT).to_string();
    let mut replies = Vec::new();
    for _ in 0..2 {
        replies.push(invoke(&entry, "an-invocation".to_owned(), u64::MAX, event.as_bytes()).await.unwrap());
    }
    expect![[r#"{"queued":1201,"outOfTime":false} {"queued":0,"outOfTime":false}"#]]
        .assert_eq(&replies.join(" "));
    let jobs = queue(store).await;
    assert_eq!(jobs.len(), 1_201);
    assert!(due.iter().all(|row| jobs.get(row.id.as_str()) == Some(&1)));
    assert_eq!(unqueued(store).await.len(), 3);
    assert_eq!(run(store, tick(at(NIGHT) + SECOND, 1)).await.queued, 3);
}

#[tokio::test]
async fn before_the_dates_nothing_is_queued() {
    let store = Embedded::temporary().unwrap();
    let people = people(&store, 4).await;
    plan(&store, &people, 2, at(NIGHT)).await;
    let early = run(&store, tick(at(NIGHT) - Duration::from_millis(1), 1)).await;
    assert_eq!(early, Report { queued: 0, out_of_time: false });
    assert!(queue(&store).await.is_empty());
}

#[tokio::test]
async fn a_run_out_of_time_leaves_the_rest_to_the_next() {
    let store = Embedded::temporary().unwrap();
    let people = people(&store, 20).await;
    plan(&store, &people, 1_100, at(NIGHT)).await;
    // Ten seconds are kept for the last batch, so this budget is spent at once.
    let hurried = |seconds| ScheduledRun { budget: Some(SECOND * seconds), ..tick(at(NIGHT), 1) };
    assert_eq!(run(&store, hurried(10)).await, Report { queued: 500, out_of_time: true });
    assert_eq!(run(&store, hurried(0)).await, Report { queued: 500, out_of_time: true });
    assert_eq!(run(&store, tick(at(NIGHT), 1)).await, Report { queued: 100, out_of_time: false });
    assert!(queue(&store).await.values().all(|times| *times == 1));
}

/// Until the lease ends nobody takes them, then the next run does: lost is nothing, doubled is at most a job.
#[tokio::test]
async fn a_failure_between_claim_and_mark_is_made_up_for_after_the_lease() {
    for (call, fault, copies) in [
        ("publish", Fault::Down, 1),
        ("publish", Fault::AnswerLost, 2),
        ("queued", Fault::Down, 2),
        ("queued", Fault::AnswerLost, 1),
    ] {
        let store = Embedded::temporary().unwrap();
        let people = people(&store, 6).await;
        let rows = plan(&store, &people, 3, at(NIGHT)).await;
        let faulty = Faulty::over(&store).failing(call, 1, fault);
        let failed = auto_message_queuer::handle(&faulty, &faulty, tick(at(NIGHT), 1)).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call} {fault:?}: {failed:?}");
        let later = |seconds| tick(at(NIGHT) + SECOND * seconds, 1);
        assert_eq!(run(&store, later(54)).await.queued, 0, "{call} {fault:?}: under the lease");
        let made_up = run(&store, later(55)).await.queued;
        assert_eq!(made_up, if (call, fault) == ("queued", Fault::AnswerLost) { 0 } else { 3 });
        let jobs = queue(&store).await;
        assert!(jobs.len() == 3 && jobs.values().all(|n| *n == copies), "{call} {fault:?}: {jobs:?}");
        let row = AutoMessages::get(&store, &rows[0].id).await.unwrap().unwrap();
        assert_eq!(row.attempts, if made_up == 0 { 1 } else { 2 }, "each claim counts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_at_once_share_the_work() {
    let store = Embedded::temporary().unwrap();
    let people = people(&store, 20).await;
    plan(&store, &people, 5_000, at(NIGHT)).await;
    let start = Arc::new(Barrier::new(8));
    let runs = (0..8).map(|seed| {
        let (store, start) = (store.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            run(&store, tick(at(NIGHT), seed)).await.queued
        })
    });
    let queued: Vec<u64> = futures::future::try_join_all(runs).await.unwrap();
    assert_eq!(queued.iter().sum::<u64>(), 5_000);
    let jobs = queue(&store).await;
    assert!(jobs.len() == 5_000 && jobs.values().all(|times| *times == 1));
    assert_eq!(store.backlog(at(NIGHT)).await.unwrap(), 0);
}

/// Two queuers at the same instant, a hundred times, and the consumer after them: every message exists once and
/// was announced once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_at_the_same_instant_a_hundred_times_double_nothing() {
    const ROUNDS: u64 = 100;
    let (store, pushed) = (Embedded::temporary().unwrap(), Pushed::default());
    let people = people(&store, 20).await;
    for person in &people {
        connect(&store, person, at(NIGHT)).await;
    }
    for round in 0..ROUNDS {
        let now = at(NIGHT) + SECOND * 60 * u32::try_from(round).unwrap();
        plan(&store, &people, 10, now).await;
        let start = Arc::new(Barrier::new(2));
        let runs = (0..2).map(|seed| {
            let (store, start) = (store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                run(&store, tick(now, seed)).await.queued
            })
        });
        let queued = futures::future::try_join_all(runs).await.unwrap();
        assert_eq!(queued.iter().sum::<u64>(), 10, "round {round}");
        consume_all(&store, &pushed, now).await;
    }
    for pair in people.chunks_exact(2) {
        let told = pushed.events(pair[1].as_str(), "message_received");
        assert_eq!(told.len() as u64, ROUNDS);
        assert_eq!(history(&store, &pair[1]).await.len() as u64, ROUNDS);
    }
}

/// Works the queue off, as the event source does.
async fn consume_all(store: &Embedded, pushed: &Pushed, now: shared::time::Time) {
    let ports =
        auto_message_consumer::Ports { auto_messages: store, outbox: store, chat: chat(store, pushed) };
    loop {
        let taken = store.receive(SENDING_QUEUE, 100).await.unwrap();
        if taken.is_empty() {
            return;
        }
        let tags: Vec<u64> = taken.iter().map(|delivery| delivery.tag).collect();
        let deliveries = taken.into_iter().map(|delivery| shared::lambda::queue::Delivery {
            queue: SENDING_QUEUE.to_owned(),
            message_id: Some(delivery.message.id),
            body: delivery.message.body,
            attempt: delivery.message.attempt,
            redelivered: delivery.redelivered,
        });
        auto_message_consumer::handle(ports, batch(now, deliveries.collect())).await.unwrap();
        store.ack(&tags).await.unwrap();
    }
}
