//! What the set-up and the operator ask: that the queues are there, how much lies where, and letting the dead try again.

use std::sync::Arc;

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use shared::ports::StoreResult;

use crate::RabbitMq;
use crate::failure::Failure;
use crate::link::Line;
use crate::outbox::{BOUND, Parcel, attempts, confirmed};
use crate::topology::{all, dead_queue, look, name};

/// A queue and what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// Its name.
    pub queue: String,
    /// Messages that are ready; those that a consumer holds are not counted.
    pub messages: u32,
}

impl RabbitMq {
    /// Makes sure that a queue, its retry queues and its dead are there, before anybody consumes from them.
    /// Publishing does the same by itself.
    pub async fn declare(&self, queue: &str) -> StoreResult<()> {
        let (line, channel) = self.own_channel(queue).await?;
        self.close(&line, &channel).await
    }

    /// The depths of a queue, its retry queues and its dead, in this order. Missing queues are declared.
    pub async fn queues(&self, queue: &str) -> StoreResult<Vec<QueueDepth>> {
        let (line, channel) = self.own_channel(queue).await?;
        let mut depths = Vec::new();
        for queue in all(queue, &self.retry_delays) {
            let messages = self.depth(&line, &channel, &queue).await?;
            depths.push(QueueDepth { queue, messages });
        }
        self.close(&line, &channel).await?;
        Ok(depths)
    }

    /// Sends what lies in `<queue>.dead` back to `queue` with its failures forgotten; how many. A job
    /// leaves the dead only when the broker has confirmed it in its queue; what is buried meanwhile stays.
    pub async fn replay_dead(&self, queue: &str) -> StoreResult<u64> {
        let (line, channel) = self.own_channel(queue).await?;
        let dead = dead_queue(queue);
        let lying = u64::from(self.depth(&line, &channel, &dead).await?);
        let mut replayed = 0;
        while replayed < lying && self.step(&line, replay_one(&line, &channel, queue, &dead)).await? {
            replayed += 1;
        }
        self.close(&line, &channel).await?;
        Ok(replayed)
    }

    /// A channel for questions whose refusal would close it, with the queues declared.
    async fn own_channel(&self, queue: &str) -> StoreResult<(Arc<Line>, Channel)> {
        self.link
            .bounded(BOUND, async {
                match self.own_channel_once(queue).await {
                    Err(Failure::Amqp(_)) => self.own_channel_once(queue).await,
                    answer => answer,
                }
            })
            .await
    }

    async fn own_channel_once(&self, queue: &str) -> Result<(Arc<Line>, Channel), Failure> {
        let line = self.link.line().await?;
        let made = async {
            line.declare(queue, &self.retry_delays).await?;
            Ok(line.connection.create_channel().await?)
        };
        match made.await {
            Ok(channel) => Ok((line, channel)),
            Err(failure) => Err(self.link.give_up(&line, failure)),
        }
    }

    async fn depth(&self, line: &Arc<Line>, channel: &Channel, queue: &str) -> StoreResult<u32> {
        self.step(line, async { Ok(look(channel, queue).await?.message_count()) }).await
    }

    async fn close(&self, line: &Arc<Line>, channel: &Channel) -> StoreResult<()> {
        self.step(line, async { Ok(channel.close(200, "OK".into()).await?) }).await
    }

    /// One bounded step over a line, which is given up when the step fails.
    async fn step<T>(
        &self,
        line: &Arc<Line>,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> StoreResult<T> {
        let step = async { work.await.map_err(|failure| self.link.give_up(line, failure)) };
        self.link.bounded(BOUND, step).await
    }
}

/// Moves the oldest dead job back; `false` when there is none.
async fn replay_one(line: &Arc<Line>, channel: &Channel, queue: &str, dead: &str) -> Result<bool, Failure> {
    let Some(job) = channel.basic_get(name(dead)?, BasicGetOptions::default()).await? else {
        return Ok(false);
    };
    let properties = job.properties.clone().with_headers(attempts(0));
    confirmed(line, &[Parcel { to: name(queue)?, body: &job.data, properties }]).await?;
    job.ack(BasicAckOptions::default()).await?;
    Ok(true)
}
