//! Cases of `Outbox`, checked by reading the queues.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::ports::{Outbox, OutboxMessage, StoreResult};

use super::{Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_true, sorted};

/// The longest delay of a broker's counters.
const LAG: Duration = Duration::from_secs(5);

/// Read access to a broker's queues, implemented by the adapter's tests.
#[async_trait]
pub trait QueueView: Send + Sync {
    /// Declares the durable queue with its `.retry` and `.dead` queues.
    async fn declare(&self, queue: &str) -> StoreResult<()>;
    /// The number of ready messages in a queue, also of a `.retry` or `.dead` one.
    async fn depth(&self, queue: &str) -> StoreResult<u64>;
    /// Takes and acks all ready messages of a queue, in order.
    async fn drain(&self, queue: &str) -> StoreResult<Vec<OutboxMessage>>;
}

/// The outbox, and read access to the queues it writes to.
#[derive(Clone)]
pub struct QueuePorts {
    pub outbox: Arc<dyn Outbox>,
    pub view: Arc<dyn QueueView>,
}

/// Every case of [`Outbox`].
pub fn outbox() -> Vec<Case<QueuePorts>> {
    cases![
        published_messages_arrive_unchanged_in_order,
        empty_publish_adds_nothing,
        concurrent_publishers_lose_no_message,
        queues_are_separate,
        retried_job_waits_in_the_retry_queue,
        dead_lettered_job_is_not_delivered_again,
    ]
}

impl QueuePorts {
    async fn queue(&self, data: &CaseData, name: &str) -> StoreResult<String> {
        let queue = format!("contract-{}-{name}", data.tag);
        self.view.declare(&queue).await?;
        Ok(queue)
    }

    /// Waits until the queue, its `.retry` and its `.dead` queue have the expected depths.
    async fn expect_depths(&self, queue: &str, expected: [u64; 3]) -> Outcome {
        let mut waited = Duration::ZERO;
        loop {
            let mut found = [0; 3];
            for (depth, suffix) in found.iter_mut().zip(["", ".retry", ".dead"]) {
                *depth = self.view.depth(&format!("{queue}{suffix}")).await?;
            }
            if found == expected || waited > LAG {
                return expect_eq(found, expected);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
        }
    }

    async fn drain_at_least(&self, queue: &str, count: usize) -> Result<Vec<OutboxMessage>, Failure> {
        let (mut all, mut waited) = (self.view.drain(queue).await?, Duration::ZERO);
        while all.len() < count && waited <= LAG {
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
            all.extend(self.view.drain(queue).await?);
        }
        Ok(all)
    }
}

fn message(data: &CaseData, n: usize) -> OutboxMessage {
    let body = format!("{{\"n\":{n},\"text\":\"günaydın 👋\"}}").into_bytes();
    OutboxMessage { id: format!("{}-{n:03}", data.tag), body, attempt: 0 }
}

async fn published_messages_arrive_unchanged_in_order(ports: QueuePorts, data: CaseData) -> Outcome {
    let queue = ports.queue(&data, "order").await?;
    let mut messages: Vec<_> = (0..200).map(|n| message(&data, n)).collect();
    messages[7].attempt = 3;
    messages[8].body = (0..=255).collect();
    ports.outbox.publish(&queue, &messages).await?;
    ports.expect_depths(&queue, [200, 0, 0]).await?;
    expect_eq(ports.drain_at_least(&queue, 200).await?, messages)?;
    ports.expect_depths(&queue, [0, 0, 0]).await
}

async fn empty_publish_adds_nothing(ports: QueuePorts, data: CaseData) -> Outcome {
    let queue = ports.queue(&data, "empty").await?;
    ports.outbox.publish(&queue, &[]).await?;
    ports.expect_depths(&queue, [0, 0, 0]).await
}

async fn concurrent_publishers_lose_no_message(ports: QueuePorts, data: CaseData) -> Outcome {
    let queue = ports.queue(&data, "many").await?;
    concurrently(20, |n| {
        let (ports, queue) = (ports.clone(), queue.clone());
        let messages: Vec<_> = (0..10).map(|m| message(&data, n * 10 + m)).collect();
        async move { ports.outbox.publish(&queue, &messages).await }
    })
    .await?;
    let found = ports.drain_at_least(&queue, 200).await?;
    let expected: Vec<String> = (0..200).map(|n| message(&data, n).id).collect();
    expect_eq(sorted(found.into_iter().map(|message| message.id)), expected)
}

async fn queues_are_separate(ports: QueuePorts, data: CaseData) -> Outcome {
    let (one, two) = (ports.queue(&data, "one").await?, ports.queue(&data, "two").await?);
    ports.outbox.publish(&one, &[message(&data, 1)]).await?;
    ports.outbox.publish(&two, &[message(&data, 2)]).await?;
    expect_eq(ports.drain_at_least(&one, 1).await?, vec![message(&data, 1)])?;
    expect_eq(ports.drain_at_least(&two, 1).await?, vec![message(&data, 2)])
}

async fn retried_job_waits_in_the_retry_queue(ports: QueuePorts, data: CaseData) -> Outcome {
    let queue = ports.queue(&data, "retry").await?;
    let failed = OutboxMessage { attempt: 1, ..message(&data, 1) };
    ports.outbox.retry_later(&queue, &failed).await?;
    ports.expect_depths(&queue, [0, 1, 0]).await?;
    expect_true(ports.view.drain(&queue).await?.is_empty(), "the job is ready before its delay is over")
}

async fn dead_lettered_job_is_not_delivered_again(ports: QueuePorts, data: CaseData) -> Outcome {
    let queue = ports.queue(&data, "dead").await?;
    let hopeless = OutboxMessage { attempt: 5, ..message(&data, 1) };
    ports.outbox.dead_letter(&queue, &hopeless, "the receiver does not exist").await?;
    ports.expect_depths(&queue, [0, 0, 1]).await?;
    expect_true(ports.view.drain(&queue).await?.is_empty(), "the dead-lettered job was delivered again")?;
    let dead = ports.drain_at_least(&format!("{queue}.dead"), 1).await?;
    expect_eq(dead, vec![hopeless])
}
