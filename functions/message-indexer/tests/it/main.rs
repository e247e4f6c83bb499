//! `message-indexer` on its own, between an embedded store and an index that fails on demand.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use message_indexer::Ports;
use serde_json::Value;
use shared::error::Error;
use shared::id::MessageId;
use shared::indexing::{INDEXING_QUEUE, jobs};
use shared::lambda::leak;
use shared::lambda::queue::{Delivery, queue};
use shared::ports::Messages as _;
use test_support::events::{assert_foreign_events_fail, batch, delivery, invoke_event, queue_event};
use test_support::fixture::NOW;
use test_support::search_index::{IndexFixture, IndexState};

fn ports(fixture: &IndexFixture) -> Ports<'_> {
    Ports { index_backlog: &fixture.store, index: Some(&fixture.index), outbox: &fixture.store }
}

async fn index(fixture: &IndexFixture, deliveries: Vec<Delivery>) -> Result<(), Error> {
    message_indexer::handle(ports(fixture), batch(NOW, deliveries)).await
}

/// The job of these messages, as its queue delivers it.
fn job(ids: &[MessageId]) -> Delivery {
    let [job] = jobs(ids).unwrap().try_into().unwrap();
    delivery(INDEXING_QUEUE, Some(&job.id), &job.body)
}

#[tokio::test]
async fn job_indexes_its_messages_and_takes_them_out_of_the_backlog() {
    let fixture: &'static IndexFixture = leak(IndexFixture::new().await);
    let ids = [fixture.append("first").await, fixture.append("second").await];
    fixture.append("of no job").await;
    let entry = queue(move |batch| message_indexer::handle(ports(fixture), batch));
    let event = queue_event(INDEXING_QUEUE, &[job(&ids)]);
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), Value::Null);
    assert_eq!(fixture.index.contents(), ["first", "second"]);
    assert_eq!(fixture.backlog(60).await, 1);
    assert_foreign_events_fail(&entry).await;
}

#[tokio::test]
async fn message_is_indexed_as_it_is_when_the_job_runs() {
    let fixture = IndexFixture::new().await;
    let id = fixture.append("hello").await;
    let job = job(std::slice::from_ref(&id));
    fixture.store.edit(&id, "edited", NOW).await.unwrap();
    index(&fixture, vec![job]).await.unwrap();
    assert_eq!(fixture.index.contents(), ["edited"]);
    assert_eq!(fixture.backlog(60).await, 0);
}

#[tokio::test]
async fn without_an_index_jobs_succeed_and_messages_keep_waiting() {
    let fixture = IndexFixture::new().await;
    let id = fixture.append("hello").await;
    let ports = Ports { index: None, ..ports(&fixture) };
    message_indexer::handle(ports, batch(NOW, vec![job(&[id])])).await.unwrap();
    assert_eq!((fixture.depths().await, fixture.backlog(60).await), ([0, 0, 0], 1));
}

#[tokio::test]
async fn index_that_is_down_fails_the_batch_and_retries_and_dead_letters_nothing() {
    let fixture = IndexFixture::new().await;
    let job = job(&[fixture.append("hello").await]);
    fixture.index.set(IndexState::Down);
    for attempt in 0..7 {
        let failed = index(&fixture, vec![Delivery { attempt, ..job.clone() }]).await;
        assert!(matches!(failed, Err(Error::Unavailable(_))), "attempt {attempt}: {failed:?}");
        assert_eq!(fixture.depths().await, [0, 0, 0], "attempt {attempt}");
    }
    fixture.index.set(IndexState::Up);
    index(&fixture, vec![job]).await.unwrap();
    assert_eq!(fixture.index.contents(), ["hello"]);
}

#[tokio::test]
async fn refused_message_does_not_stop_the_others_and_is_dead_lettered_after_five_attempts() {
    let fixture = IndexFixture::new().await;
    let mut ids = Vec::new();
    for content in ["before", "poison", "after"] {
        ids.push(fixture.append(content).await);
    }
    fixture.index.set(IndexState::RefusingPoison);
    for attempt in 0..5 {
        index(&fixture, vec![Delivery { attempt, ..job(&ids) }]).await.unwrap();
        assert_eq!(fixture.index.contents(), ["before", "after"]);
        assert_eq!(fixture.backlog(60).await, 1, "only the refused message waits");
    }
    assert_eq!(fixture.depths().await, [0, 4, 1]);
}

#[tokio::test]
async fn malformed_jobs_are_dead_lettered_and_others_still_run() {
    let fixture = IndexFixture::new().await;
    let good = job(&[fixture.append("hello").await]);
    let bodies = ["", "[]", "{\"messageIds\":[1]}", "{\"messageIds\":[],\"more\":1}", "\u{0}"];
    let mut deliveries: Vec<Delivery> =
        bodies.iter().map(|body| delivery(INDEXING_QUEUE, None, body.as_bytes())).collect();
    deliveries.push(delivery(INDEXING_QUEUE, None, b"{\"messageIds\":[\"unknown\"]}"));
    deliveries.push(good);
    index(&fixture, deliveries).await.unwrap();
    assert_eq!(fixture.index.contents(), ["hello"]);
    assert_eq!(fixture.depths().await, [0, 0, bodies.len() as u64]);
}
