//! Sweeper and indexer together: a message is indexed when it is sent and again when it changes.

use shared::ports::Messages as _;
use test_support::events::batch;
use test_support::fixture::NOW;
use test_support::search_index::IndexFixture;

async fn sweep(fixture: &IndexFixture, minutes: u64) -> u64 {
    let (store, run) = (&fixture.store, fixture.run(minutes));
    message_index_sweeper::handle(store, Some(&fixture.index), store, run).await.unwrap().queued
}

/// Runs the indexer on all jobs in the queue and acknowledges them.
async fn index_all(fixture: &IndexFixture) {
    let (tags, deliveries) = fixture.receive().await;
    let ports = message_indexer::Ports {
        index_backlog: &fixture.store,
        index: Some(&fixture.index),
        outbox: &fixture.store,
    };
    message_indexer::handle(ports, batch(NOW, deliveries)).await.unwrap();
    fixture.store.ack(&tags).await.unwrap();
}

#[tokio::test]
async fn messages_are_indexed_after_a_sweep_and_again_when_they_change() {
    let fixture = IndexFixture::new().await;
    let id = fixture.append("first").await;
    for n in 1..450 {
        fixture.append(&format!("message {n}")).await;
    }
    assert_eq!(sweep(&fixture, 0).await, 450);
    assert_eq!(sweep(&fixture, 1).await, 0, "messages whose job is queued are hidden");
    index_all(&fixture).await;
    assert_eq!((fixture.index.contents().len(), fixture.backlog(60).await), (450, 0));

    fixture.store.edit(&id, "edited", NOW).await.unwrap();
    assert_eq!(sweep(&fixture, 2).await, 1);
    index_all(&fixture).await;
    assert!(fixture.index.contents().contains(&"edited".to_owned()));
    assert_eq!(fixture.backlog(60).await, 0);
}
