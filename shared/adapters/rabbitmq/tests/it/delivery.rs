//! What is published lies in its queue, waits where it should, and comes back.

use expect_test::expect;
use shared::error::StoreError;
use shared::ports::Outbox;

use crate::world::{World, job};

#[tokio::test]
async fn a_published_job_is_there_with_all_that_a_consumer_needs() {
    let Some(world) = World::new().await else { return };
    world.rabbit.publish(&world.queue, &[job("a", 0), job("b", 3)]).await.unwrap();
    let found = world.take("").await.unwrap();
    assert_eq!(found.body, br#"{"job":"a"}"#);
    expect![[r#"("a", Some(0), None, true, false)"#]].assert_eq(&format!(
        "{:?}",
        (found.id, found.attempt, found.reason, found.persistent, found.redelivered)
    ));
    let again = world.fail_on("").await;
    assert_eq!((again.id.as_str(), again.attempt, again.redelivered), ("b", Some(3), false));
    assert!(world.take("").await.unwrap().redelivered, "the broker marks what was delivered before");
    world.end().await;
}

#[tokio::test]
async fn a_large_batch_is_confirmed_and_keeps_its_order() {
    let Some(world) = World::new().await else { return };
    let jobs: Vec<_> = (0..700).map(|n| job(&format!("{n:03}"), 0)).collect();
    world.rabbit.publish(&world.queue, &jobs).await.unwrap();
    assert_eq!(world.depths().await[0], (String::new(), 700));
    for expected in ["000", "001", "002"] {
        assert_eq!(world.take("").await.unwrap().id, expected);
    }
    world.end().await;
}

#[tokio::test]
async fn a_failed_job_waits_and_returns_and_a_long_wait_does_not_hold_up_a_short_one() {
    let Some(world) = World::new().await else { return };
    world.rabbit.retry_later(&world.queue, &job("patient", 2)).await.unwrap();
    world.rabbit.retry_later(&world.queue, &job("quick", 1)).await.unwrap();
    let back = world.wait_for("").await;
    assert_eq!((back.id.as_str(), back.attempt, back.persistent), ("quick", Some(1), true));
    let depths = world.depths().await;
    assert_eq!(depths[1..3], [(".retry".to_owned(), 0), (".retry.2".to_owned(), 1)]);
    world.end().await;
}

#[tokio::test]
async fn a_hopeless_job_rests_with_its_reason() {
    let Some(world) = World::new().await else { return };
    world.rabbit.dead_letter(&world.queue, &job("a", 5), &"no such user ".repeat(100)).await.unwrap();
    let found = world.take(".dead").await.unwrap();
    assert_eq!((found.id.as_str(), found.attempt), ("a", Some(5)));
    assert_eq!(found.reason.unwrap().len(), 500);
    world.end().await;
}

#[tokio::test]
async fn a_queue_that_vanished_is_declared_again() {
    let Some(world) = World::new().await else { return };
    world.rabbit.publish(&world.queue, &[job("a", 0)]).await.unwrap();
    world.delete("").await;
    world.rabbit.publish(&world.queue, &[job("b", 0)]).await.unwrap();
    assert_eq!(world.take("").await.unwrap().id, "b", "and not lost without a word");
    world.end().await;
}

#[tokio::test]
async fn queues_that_exist_with_other_arguments_are_used() {
    let Some(world) = World::new().await else { return };
    world.declare_otherwise("").await;
    world.declare_otherwise(".dead").await;
    world.rabbit.publish(&world.queue, &[job("a", 0)]).await.unwrap();
    world.rabbit.dead_letter(&world.queue, &job("b", 5), "why").await.unwrap();
    assert_eq!(world.take("").await.unwrap().id, "a");
    assert_eq!(world.take(".dead").await.unwrap().id, "b");
    world.end().await;
}

#[tokio::test]
async fn a_retry_queue_that_leads_nowhere_is_refused() {
    let Some(world) = World::new().await else { return };
    world.declare_otherwise(".retry").await;
    let answer = world.rabbit.publish(&world.queue, &[job("a", 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
    world.delete(".retry").await;
    world.rabbit.publish(&world.queue, &[job("a", 0)]).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_job_that_amqp_cannot_carry_is_an_error_and_no_panic() {
    let Some(world) = World::new().await else { return };
    let answer = world.rabbit.publish(&world.queue, &[job(&"x".repeat(256), 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
    let answer = world.rabbit.publish(&"q".repeat(256), &[job("a", 0)]).await;
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");
}
