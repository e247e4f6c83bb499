//! `message-index-sweeper` on its own, between an embedded store and an index that fails on demand.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::time::Duration;

use message_index_sweeper::Report;
use serde_json::json;
use shared::error::Error;
use shared::lambda::leak;
use shared::lambda::schedule::schedule;
use shared::ports::Messages as _;
use test_support::events::{assert_foreign_events_fail, invoke_event, schedule_event};
use test_support::fixture::NOW;
use test_support::search_index::{IndexFixture, IndexState};

/// The number of messages that a run so many minutes after [`NOW`] queues.
async fn sweep(fixture: &IndexFixture, minutes: u64) -> Result<u64, Error> {
    let (store, run) = (&fixture.store, fixture.run(minutes));
    Ok(message_index_sweeper::handle(store, Some(&fixture.index), store, run).await?.queued)
}

#[tokio::test]
async fn waiting_messages_are_queued_once_in_jobs_of_two_hundred() {
    let fixture = IndexFixture::new().await;
    for n in 0..450 {
        fixture.append(&format!("message {n}")).await;
    }
    assert_eq!(sweep(&fixture, 0).await.unwrap(), 450);
    assert_eq!(fixture.depths().await, [3, 0, 0]);
    assert_eq!(sweep(&fixture, 1).await.unwrap(), 0);
    assert_eq!(fixture.depths().await, [3, 0, 0]);
}

#[tokio::test]
async fn edited_message_is_queued_again_at_once() {
    let fixture = IndexFixture::new().await;
    let id = fixture.append("hello").await;
    assert_eq!(sweep(&fixture, 0).await.unwrap(), 1);
    fixture.store.edit(&id, "edited", NOW + Duration::from_secs(1)).await.unwrap();
    assert_eq!(sweep(&fixture, 2).await.unwrap(), 1);
}

#[tokio::test]
async fn without_an_index_nothing_is_queued_and_messages_keep_waiting() {
    let fixture = IndexFixture::new().await;
    fixture.append("hello").await;
    let store = &fixture.store;
    let report = message_index_sweeper::handle(store, None, store, fixture.run(0)).await.unwrap();
    assert_eq!(report, Report::default());
    assert_eq!((fixture.depths().await, fixture.backlog(0).await), ([0, 0, 0], 1));
}

#[tokio::test]
async fn nothing_is_queued_while_the_index_is_down() {
    let fixture = IndexFixture::new().await;
    fixture.append("hello").await;
    fixture.index.set(IndexState::Down);
    assert!(matches!(sweep(&fixture, 0).await, Err(Error::Unavailable(_))));
    assert_eq!((fixture.depths().await, fixture.backlog(0).await), ([0, 0, 0], 1));
    fixture.index.set(IndexState::Up);
    assert_eq!(sweep(&fixture, 1).await.unwrap(), 1);
}

#[tokio::test]
async fn message_whose_job_was_lost_is_queued_again_after_half_an_hour() {
    let fixture = IndexFixture::new().await;
    fixture.append("hello").await;
    assert_eq!(sweep(&fixture, 0).await.unwrap(), 1);
    let (lost, _) = fixture.receive().await;
    fixture.store.ack(&lost).await.unwrap();
    assert_eq!((sweep(&fixture, 29).await.unwrap(), sweep(&fixture, 30).await.unwrap()), (0, 1));
    assert_eq!(fixture.depths().await, [1, 0, 0]);
}

#[tokio::test]
async fn lambda_entry_point_replies_with_the_report() {
    let fixture: &'static IndexFixture = leak(IndexFixture::new().await);
    fixture.append("hello").await;
    let store = &fixture.store;
    let entry = schedule(move |run| message_index_sweeper::handle(store, Some(&fixture.index), store, run));
    let report = invoke_event(&entry, &schedule_event(&NOW.to_string())).await.unwrap();
    assert_eq!(report, json!({ "queued": 1, "outOfTime": false }));
    assert_foreign_events_fail(&entry).await;
}
