//! `Outbox`, seen from the other end of the broker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Case, Failure, Outcome, World, at_once, cases, same, sorted, yes};
use crate::ports::{Outbox, OutboxMessage, StoreResult};

/// Longer than a broker's counters may lag behind.
const LAG: Duration = Duration::from_secs(5);

/// What the suite must see of a broker; written by the adapter's tests.
#[async_trait]
pub trait QueueView: Send + Sync {
    /// Makes the durable queue with its `.retry` and `.dead`, as the adapter's set-up step does.
    async fn declare(&self, queue: &str) -> StoreResult<()>;
    /// How many messages wait in a queue, which may be a `.retry` or `.dead` one.
    async fn depth(&self, queue: &str) -> StoreResult<u64>;
    /// Takes and acks everything that is ready in a queue, in order.
    async fn drain(&self, queue: &str) -> StoreResult<Vec<OutboxMessage>>;
}

/// A broker from both ends.
#[derive(Clone)]
pub struct Broker {
    /// Where messages go in.
    pub outbox: Arc<dyn Outbox>,
    /// Where they are seen.
    pub view: Arc<dyn QueueView>,
}

/// Every case of [`Outbox`].
pub fn outbox() -> Vec<Case<Broker>> {
    cases![
        what_is_published_arrives_in_order_and_whole,
        nothing_published_is_nothing,
        concurrent_publishers_lose_nothing,
        queues_are_apart,
        a_failed_job_waits_aside,
        a_hopeless_job_rests,
    ]
}

impl Broker {
    async fn queue(&self, world: &World, name: &str) -> StoreResult<String> {
        let queue = format!("contract-{}-{name}", world.tag);
        self.view.declare(&queue).await?;
        Ok(queue)
    }

    /// The depths of the queue, its `.retry` and its `.dead`, once they are as expected.
    async fn depths(&self, queue: &str, expected: [u64; 3]) -> Outcome {
        let mut waited = Duration::ZERO;
        loop {
            let mut found = [0; 3];
            for (depth, suffix) in found.iter_mut().zip(["", ".retry", ".dead"]) {
                *depth = self.view.depth(&format!("{queue}{suffix}")).await?;
            }
            if found == expected || waited > LAG {
                return same(found, expected);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
        }
    }

    async fn drained(&self, queue: &str, count: usize) -> Result<Vec<OutboxMessage>, Failure> {
        let (mut all, mut waited) = (self.view.drain(queue).await?, Duration::ZERO);
        while all.len() < count && waited <= LAG {
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
            all.extend(self.view.drain(queue).await?);
        }
        Ok(all)
    }
}

fn message(world: &World, n: usize) -> OutboxMessage {
    let body = format!("{{\"n\":{n},\"text\":\"günaydın 👋\"}}").into_bytes();
    OutboxMessage { id: format!("{}-{n:03}", world.tag), body, attempt: 0 }
}

async fn what_is_published_arrives_in_order_and_whole(broker: Broker, world: World) -> Outcome {
    let queue = broker.queue(&world, "order").await?;
    let mut messages: Vec<_> = (0..200).map(|n| message(&world, n)).collect();
    messages[7].attempt = 3;
    messages[8].body = (0..=255).collect();
    broker.outbox.publish(&queue, &messages).await?;
    broker.depths(&queue, [200, 0, 0]).await?;
    same(broker.drained(&queue, 200).await?, messages)?;
    broker.depths(&queue, [0, 0, 0]).await
}

async fn nothing_published_is_nothing(broker: Broker, world: World) -> Outcome {
    let queue = broker.queue(&world, "empty").await?;
    broker.outbox.publish(&queue, &[]).await?;
    broker.depths(&queue, [0, 0, 0]).await
}

async fn concurrent_publishers_lose_nothing(broker: Broker, world: World) -> Outcome {
    let queue = broker.queue(&world, "many").await?;
    at_once(20, |n| {
        let (broker, queue) = (broker.clone(), queue.clone());
        let messages: Vec<_> = (0..10).map(|m| message(&world, n * 10 + m)).collect();
        async move { broker.outbox.publish(&queue, &messages).await }
    })
    .await?;
    let found = broker.drained(&queue, 200).await?;
    let expected: Vec<String> = (0..200).map(|n| message(&world, n).id).collect();
    same(sorted(found.into_iter().map(|message| message.id)), expected)
}

async fn queues_are_apart(broker: Broker, world: World) -> Outcome {
    let (one, two) = (broker.queue(&world, "one").await?, broker.queue(&world, "two").await?);
    broker.outbox.publish(&one, &[message(&world, 1)]).await?;
    broker.outbox.publish(&two, &[message(&world, 2)]).await?;
    same(broker.drained(&one, 1).await?, vec![message(&world, 1)])?;
    same(broker.drained(&two, 1).await?, vec![message(&world, 2)])
}

async fn a_failed_job_waits_aside(broker: Broker, world: World) -> Outcome {
    let queue = broker.queue(&world, "retry").await?;
    let failed = OutboxMessage { attempt: 1, ..message(&world, 1) };
    broker.outbox.retry_later(&queue, &failed).await?;
    broker.depths(&queue, [0, 1, 0]).await?;
    yes(broker.view.drain(&queue).await?.is_empty(), "it is not ready yet")
}

async fn a_hopeless_job_rests(broker: Broker, world: World) -> Outcome {
    let queue = broker.queue(&world, "dead").await?;
    let hopeless = OutboxMessage { attempt: 5, ..message(&world, 1) };
    broker.outbox.dead_letter(&queue, &hopeless, "the receiver does not exist").await?;
    broker.depths(&queue, [0, 0, 1]).await?;
    yes(broker.view.drain(&queue).await?.is_empty(), "nobody gets it again")?;
    let dead = broker.drained(&format!("{queue}.dead"), 1).await?;
    same(dead, vec![hopeless])
}
