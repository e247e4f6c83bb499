//! Published jobs arrive in their queue, wait in a retry queue, return, or are dead-lettered.

use expect_test::expect;
use shared::error::StoreError;
use shared::ports::Outbox;

use crate::test_broker::{TestBroker, job};

#[tokio::test]
async fn a_published_job_arrives_persistent_with_its_id_body_and_attempt() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.rabbit.publish(&broker.queue, &[job("a", 0), job("b", 3)]).await.unwrap();
    let found = broker.take("").await.unwrap();
    assert_eq!(found.body, br#"{"job":"a"}"#);
    expect![[r#"("a", Some(0), None, true, false)"#]].assert_eq(&format!(
        "{:?}",
        (found.id, found.attempt, found.reason, found.persistent, found.redelivered)
    ));
    let requeued = broker.take_and_requeue("").await;
    assert_eq!((requeued.id.as_str(), requeued.attempt, requeued.redelivered), ("b", Some(3), false));
    assert!(broker.take("").await.unwrap().redelivered, "the broker must mark a requeued job as redelivered");
    broker.delete_queues().await;
}

#[tokio::test]
async fn jobs_keep_their_order_when_they_fill_several_batches() {
    let Some(broker) = TestBroker::new().await else { return };
    let jobs: Vec<_> = (0..700).map(|n| job(&format!("{n:03}"), 0)).collect();
    broker.rabbit.publish(&broker.queue, &jobs).await.unwrap();
    assert_eq!(broker.depths().await[0], (String::new(), 700));
    for expected in ["000", "001", "002"] {
        assert_eq!(broker.take("").await.unwrap().id, expected);
    }
    broker.delete_queues().await;
}

#[tokio::test]
async fn a_job_with_a_short_delay_returns_while_one_with_a_long_delay_waits() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.rabbit.retry_later(&broker.queue, &job("slow", 2)).await.unwrap();
    broker.rabbit.retry_later(&broker.queue, &job("quick", 1)).await.unwrap();
    let back = broker.wait_for("").await;
    assert_eq!((back.id.as_str(), back.attempt, back.persistent), ("quick", Some(1), true));
    let depths = broker.depths().await;
    assert_eq!(depths[1..3], [(".retry".to_owned(), 0), (".retry.2".to_owned(), 1)]);
    broker.delete_queues().await;
}

#[tokio::test]
async fn a_dead_job_is_stored_with_its_reason_cut_to_500_characters() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.rabbit.dead_letter(&broker.queue, &job("a", 5), &"no such user ".repeat(100)).await.unwrap();
    let found = broker.take(".dead").await.unwrap();
    assert_eq!((found.id.as_str(), found.attempt), ("a", Some(5)));
    assert_eq!(found.reason.unwrap().len(), 500);
    broker.delete_queues().await;
}

#[tokio::test]
async fn a_deleted_queue_is_declared_again_when_a_job_is_published() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.rabbit.publish(&broker.queue, &[job("a", 0)]).await.unwrap();
    broker.delete("").await;
    broker.rabbit.publish(&broker.queue, &[job("b", 0)]).await.unwrap();
    assert_eq!(broker.take("").await.unwrap().id, "b", "the second job was lost");
    broker.delete_queues().await;
}

#[tokio::test]
async fn job_and_dead_letter_queues_are_used_when_they_exist_with_other_arguments() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.declare_with_other_arguments("").await;
    broker.declare_with_other_arguments(".dead").await;
    broker.rabbit.publish(&broker.queue, &[job("a", 0)]).await.unwrap();
    broker.rabbit.dead_letter(&broker.queue, &job("b", 5), "why").await.unwrap();
    assert_eq!(broker.take("").await.unwrap().id, "a");
    assert_eq!(broker.take(".dead").await.unwrap().id, "b");
    broker.delete_queues().await;
}

#[tokio::test]
async fn publishing_fails_when_the_retry_queue_exists_with_other_arguments() {
    let Some(broker) = TestBroker::new().await else { return };
    broker.declare_with_other_arguments(".retry").await;
    let answer = broker.rabbit.publish(&broker.queue, &[job("a", 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
    broker.delete(".retry").await;
    broker.rabbit.publish(&broker.queue, &[job("a", 0)]).await.unwrap();
    broker.delete_queues().await;
}

#[tokio::test]
async fn publishing_fails_when_an_id_or_a_queue_name_is_longer_than_255_bytes() {
    let Some(broker) = TestBroker::new().await else { return };
    let answer = broker.rabbit.publish(&broker.queue, &[job(&"x".repeat(256), 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
    let answer = broker.rabbit.publish(&"q".repeat(256), &[job("a", 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
}
