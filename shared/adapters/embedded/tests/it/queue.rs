//! The durable queue's manners, on a clock that the test moves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use adapter_embedded::{Delivery, Depth, Embedded};
use shared::ports::{Outbox, OutboxMessage};
use shared::time::Time;

const QUEUE: &str = "message_sending_queue";

/// A store whose clock shows seconds.
fn open(dir: &Path) -> (Embedded, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(0));
    let shown = Arc::clone(&clock);
    let now = move || Time::from_millis(shown.load(Ordering::Relaxed) * 1_000);
    (Embedded::open(dir).unwrap().with_clock(now), clock)
}

fn message(id: &str, attempt: u32) -> OutboxMessage {
    OutboxMessage { id: id.to_owned(), body: id.as_bytes().to_vec(), attempt }
}

fn shown(deliveries: &[Delivery]) -> Vec<(&str, bool)> {
    deliveries.iter().map(|delivery| (delivery.message.id.as_str(), delivery.redelivered)).collect()
}

fn tags(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

async fn depths(store: &Embedded) -> Vec<(String, u64, u64)> {
    let depths = store.depths().await.unwrap();
    depths.into_iter().map(|Depth { queue, ready, unacked }| (queue, ready, unacked)).collect()
}

#[tokio::test]
async fn what_is_not_acked_comes_back_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.publish(QUEUE, &["a", "b", "c"].map(|id| message(id, 0))).await.unwrap();
    let first = store.receive(QUEUE, 2).await.unwrap();
    assert_eq!(shown(&first), [("a", false), ("b", false)]);
    assert_eq!(depths(&store).await, [(QUEUE.to_owned(), 1, 2)]);
    store.nack(&tags(&first)[..1]).await.unwrap();
    store.ack(&tags(&first)[1..]).await.unwrap();
    let second = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(shown(&second), [("a", true), ("c", false)]);
    assert_eq!(store.receive(QUEUE, 10).await.unwrap(), []);
    store.ack(&tags(&second)).await.unwrap();
    store.ack(&tags(&second)).await.unwrap();
    store.nack(&tags(&second)).await.unwrap();
    assert_eq!(depths(&store).await, []);
}

#[tokio::test]
async fn a_restart_gives_back_what_was_unacked() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.publish(QUEUE, &["a", "b"].map(|id| message(id, 0))).await.unwrap();
    let before = store.receive(QUEUE, 1).await.unwrap();
    drop(store);
    let (store, _) = open(dir.path());
    let after = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(shown(&after), [("a", true), ("b", false)]);
    assert_eq!(after[0].tag, before[0].tag);
}

#[tokio::test]
async fn a_failed_job_waits_longer_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = open(dir.path());
    for (attempt, delay) in [(1, 10), (2, 30), (3, 120), (4, 600), (9, 600)] {
        let start = clock.load(Ordering::Relaxed);
        store.retry_later(QUEUE, &message("job", attempt)).await.unwrap();
        clock.store(start + delay - 1, Ordering::Relaxed);
        assert_eq!(store.receive(QUEUE, 10).await.unwrap(), []);
        assert_eq!(depths(&store).await, [(format!("{QUEUE}.retry"), 1, 0)]);
        clock.store(start + delay, Ordering::Relaxed);
        let due = store.receive(QUEUE, 10).await.unwrap();
        assert_eq!(shown(&due), [("job", false)]);
        assert_eq!(
            (due[0].message.attempt, due[0].published_at.millis()),
            (attempt, (start + delay) * 1_000)
        );
        store.ack(&tags(&due)).await.unwrap();
    }
}

#[tokio::test]
async fn the_dead_are_listed_and_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = open(dir.path());
    clock.store(7, Ordering::Relaxed);
    store.dead_letter(QUEUE, &message("a", 5), "no receiver").await.unwrap();
    store.dead_letter(QUEUE, &message("b", 5), "no sender").await.unwrap();
    store.dead_letter("other", &message("c", 5), "elsewhere").await.unwrap();
    let dead = store.dead_letters(QUEUE, 10).await.unwrap();
    assert_eq!(
        dead.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(),
        ["no receiver", "no sender"]
    );
    assert_eq!((dead[0].message.clone(), dead[0].died_at.millis()), (message("a", 5), 7_000));
    assert_eq!(store.replay_dead(QUEUE).await.unwrap(), 2);
    assert_eq!(store.replay_dead(QUEUE).await.unwrap(), 0);
    let again = store.receive(QUEUE, 10).await.unwrap();
    assert_eq!(
        again.iter().map(|d| d.message.clone()).collect::<Vec<_>>(),
        [message("a", 0), message("b", 0)]
    );
    assert_eq!(depths(&store).await, [(QUEUE.to_owned(), 0, 2), ("other.dead".to_owned(), 1, 0)]);
}

#[tokio::test]
async fn a_waiting_consumer_hears_of_a_publish() {
    let store = Embedded::temporary().unwrap();
    let published = store.published();
    store.publish(QUEUE, &[message("a", 0)]).await.unwrap();
    published.await;
}
