//! Operations of the operator: queue depths, replays, declaring queues, the health check.

use shared::ports::{Outbox, Probe};

use crate::test_broker::{TestBroker, job};

#[tokio::test]
async fn replayed_jobs_return_once_each_with_their_attempts_reset() {
    let Some(broker) = TestBroker::new().await else { return };
    for id in ["a", "b", "c"] {
        broker.rabbit.dead_letter(&broker.queue, &job(id, 5), "no such user").await.unwrap();
    }
    let names = ["", ".retry", ".retry.2", ".dead"].map(str::to_owned);
    assert_eq!(broker.depths().await, names.clone().into_iter().zip([0, 0, 0, 3]).collect::<Vec<_>>());

    assert_eq!(broker.rabbit.replay_dead(&broker.queue).await.unwrap(), 3);
    assert_eq!(broker.depths().await, names.into_iter().zip([3, 0, 0, 0]).collect::<Vec<_>>());
    for id in ["a", "b", "c"] {
        let found = broker.take("").await.unwrap();
        assert_eq!(
            (found.id.as_str(), found.attempt, found.reason, found.persistent),
            (id, Some(0), None, true)
        );
    }
    assert_eq!(
        broker.rabbit.replay_dead(&broker.queue).await.unwrap(),
        0,
        "the dead-letter queue must be empty"
    );
    broker.delete_queues().await;
}

#[tokio::test]
async fn every_dead_job_is_replayed_once_when_two_replays_run_concurrently() {
    let Some(broker) = TestBroker::new().await else { return };
    for n in 0..40 {
        broker.rabbit.dead_letter(&broker.queue, &job(&format!("{n:02}"), 5), "why").await.unwrap();
    }
    let (first, second) =
        tokio::join!(broker.rabbit.replay_dead(&broker.queue), broker.rabbit.replay_dead(&broker.queue));
    assert_eq!(first.unwrap() + second.unwrap(), 40);
    let mut ids = Vec::new();
    while let Some(found) = broker.take("").await {
        ids.push(found.id);
    }
    ids.sort();
    assert_eq!(ids, (0..40).map(|n| format!("{n:02}")).collect::<Vec<_>>());
    broker.delete_queues().await;
}

#[tokio::test]
async fn the_health_check_succeeds_when_the_broker_is_up() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.rabbit.check().await.unwrap();
}

#[tokio::test]
async fn a_declared_queue_exists_before_anything_is_published() {
    let Some(broker) = TestBroker::new().await else { return };
    for _ in 0..2 {
        broker.rabbit.declare(&broker.queue).await.unwrap();
    }
    assert_eq!(broker.take("").await, None, "the queue must be empty");
    broker.delete_queues().await;
}
