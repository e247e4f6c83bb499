//! Two concurrent queuers, and the consumer after them.

use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::Embedded;
use auto_message_consumer::Ports;
use shared::auto_message::SENDING_QUEUE;
use shared::chat::ChatPorts;
use shared::lambda::queue::Delivery;
use shared::time::Time;
use test_support::auto_messages::{NIGHT, connect, history_of, insert_users, plan_rows, scheduled_run, time};
use test_support::events::batch;
use test_support::fixture::PushRecorder;
use tokio::sync::Barrier;

const ROUNDS: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_are_stored_and_pushed_once_after_a_hundred_concurrent_runs() {
    let (store, pushes) = (Embedded::temporary().unwrap(), PushRecorder::default());
    let users = insert_users(&store, 20).await;
    for user in &users {
        connect(&store, user, time(NIGHT)).await;
    }
    for round in 0..ROUNDS {
        let now = time(NIGHT) + Duration::from_secs(60) * round;
        plan_rows(&store, &users, 10, now).await;
        let start = Arc::new(Barrier::new(2));
        let runs = (0..2).map(|seed| {
            let (store, start) = (store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let run = scheduled_run(now, seed);
                auto_message_queuer::handle(&store, &store, run).await.unwrap().queued
            })
        });
        let queued = futures::future::try_join_all(runs).await.unwrap();
        assert_eq!(queued.iter().sum::<u64>(), 10, "round {round}");
        consume_all(&store, &pushes, now).await;
    }
    for pair in users.chunks_exact(2) {
        let received = pushes.messages(pair[1].as_str(), "message_received");
        assert_eq!(received.len(), ROUNDS as usize);
        assert_eq!(history_of(&store, &pair[1]).await.len(), ROUNDS as usize);
    }
}

/// Runs the consumer until the queue is empty, as the event source does.
async fn consume_all(store: &Embedded, pushes: &PushRecorder, now: Time) {
    let ports = Ports { auto_messages: store, outbox: store, chat: ChatPorts::over(store, store, pushes) };
    loop {
        let received = store.receive(SENDING_QUEUE, 100).await.unwrap();
        if received.is_empty() {
            return;
        }
        let tags: Vec<u64> = received.iter().map(|delivery| delivery.tag).collect();
        let deliveries = received.into_iter().map(|delivery| Delivery {
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
