//! The durable queue: redelivery, retry delays, dead letters. The tests move its clock.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use adapter_embedded::{Delivery, Depth, Embedded};
use shared::ports::{Outbox, OutboxMessage};
use shared::retry::{MAX_ATTEMPTS, RETRY_DELAYS, delay};
use shared::time::Time;

const QUEUE: &str = "message_sending_queue";

/// A store, and its clock in seconds.
fn open(dir: &Path) -> (Embedded, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(0));
    let seconds = Arc::clone(&clock);
    let now = move || Time::from_millis(seconds.load(Ordering::Relaxed) * 1_000);
    (Embedded::open(dir).unwrap().with_clock(now), clock)
}

fn message(id: &str, attempt: u32) -> OutboxMessage {
    OutboxMessage { id: id.to_owned(), body: id.as_bytes().to_vec(), attempt }
}

/// Each delivery's id, and whether it is a redelivery.
fn summary(deliveries: &[Delivery]) -> Vec<(&str, bool)> {
    deliveries.iter().map(|delivery| (delivery.message.id.as_str(), delivery.redelivered)).collect()
}

fn tags(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

/// Each queue's name, ready messages and unacked messages.
async fn depths(store: &Embedded) -> Vec<(String, u64, u64)> {
    let depths = store.depths().await.unwrap();
    depths.into_iter().map(|Depth { queue, ready, unacked }| (queue, ready, unacked)).collect()
}

#[tokio::test]
async fn nacked_messages_are_redelivered_in_their_old_order() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.publish(QUEUE, &["a", "b", "c"].map(|id| message(id, 0))).await.unwrap();
    let first = store.receive(QUEUE, 2).await.unwrap();
    assert_eq!(summary(&first), [("a", false), ("b", false)]);
    assert_eq!(depths(&store).await, [(QUEUE.to_owned(), 1, 2)]);
    store.nack(&tags(&first)[..1]).await.unwrap();
    store.ack(&tags(&first)[1..]).await.unwrap();
    let second = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(summary(&second), [("a", true), ("c", false)]);
    assert_eq!(store.receive(QUEUE, 10).await.unwrap(), []);
    store.ack(&tags(&second)).await.unwrap();
    store.ack(&tags(&second)).await.unwrap();
    store.nack(&tags(&second)).await.unwrap();
    assert_eq!(depths(&store).await, []);
}

#[tokio::test]
async fn unacked_messages_are_redelivered_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.publish(QUEUE, &["a", "b"].map(|id| message(id, 0))).await.unwrap();
    let before = store.receive(QUEUE, 1).await.unwrap();
    drop(store);
    let (store, _) = open(dir.path());
    let after = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(summary(&after), [("a", true), ("b", false)]);
    assert_eq!(after[0].tag, before[0].tag);
}

#[tokio::test]
async fn failed_job_is_ready_when_the_delay_of_its_attempt_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = open(dir.path());
    for attempt in [1, 2, MAX_ATTEMPTS] {
        let delay = i64::try_from(delay(&RETRY_DELAYS, attempt).as_secs()).unwrap();
        let start = clock.load(Ordering::Relaxed);
        store.retry_later(QUEUE, &message("job", attempt)).await.unwrap();
        clock.store(start + delay - 1, Ordering::Relaxed);
        assert_eq!(store.receive(QUEUE, 10).await.unwrap(), []);
        assert_eq!(depths(&store).await, [(format!("{QUEUE}.retry"), 1, 0)]);
        clock.store(start + delay, Ordering::Relaxed);
        let due = store.receive(QUEUE, 10).await.unwrap();
        assert_eq!(summary(&due), [("job", false)]);
        assert_eq!(
            (due[0].message.attempt, due[0].published_at.millis()),
            (attempt, (start + delay) * 1_000)
        );
        store.ack(&tags(&due)).await.unwrap();
    }
}

#[tokio::test]
async fn dead_letters_are_listed_with_their_reasons_and_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = open(dir.path());
    clock.store(7, Ordering::Relaxed);
    store.dead_letter(QUEUE, &message("a", MAX_ATTEMPTS), "no receiver").await.unwrap();
    store.dead_letter(QUEUE, &message("b", MAX_ATTEMPTS), "no sender").await.unwrap();
    store.dead_letter("other", &message("c", MAX_ATTEMPTS), "no sender").await.unwrap();
    let dead = store.dead_letters(QUEUE, 10).await.unwrap();
    assert_eq!(
        dead.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(),
        ["no receiver", "no sender"]
    );
    assert_eq!(
        (dead[0].message.clone(), dead[0].dead_lettered_at.millis()),
        (message("a", MAX_ATTEMPTS), 7_000)
    );
    assert_eq!(store.replay_dead(QUEUE).await.unwrap(), 2);
    assert_eq!(store.replay_dead(QUEUE).await.unwrap(), 0);
    let replayed = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(
        replayed.iter().map(|d| d.message.clone()).collect::<Vec<_>>(),
        [message("a", 0), message("b", 0)]
    );
    assert_eq!(depths(&store).await, [(QUEUE.to_owned(), 0, 2), ("other.dead".to_owned(), 1, 0)]);
}

#[tokio::test]
async fn published_completes_when_a_message_is_published() {
    let store = Embedded::temporary().unwrap();
    let published = store.published();
    store.publish(QUEUE, &[message("a", 0)]).await.unwrap();
    published.await;
}
