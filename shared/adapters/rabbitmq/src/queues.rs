//! Operations of the set-up and the operator: declaring queues, reading their depths, replaying dead jobs.

use std::sync::Arc;

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use shared::ports::StoreResult;

use crate::RabbitMq;
use crate::broker_connection::ConfirmChannel;
use crate::failure::Failure;
use crate::outbox::{CALL_TIMEOUT, Publication, attempt_headers, publish_confirmed};
use crate::topology::{all_queues, dead_queue, inspect, short_string};

/// A queue and the number of its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    pub queue: String,
    /// Messages ready for delivery, without those delivered to a consumer and not acknowledged yet.
    pub messages: u32,
}

impl RabbitMq {
    /// Declares a queue, its retry queues and its dead-letter queue, so that a consumer finds them before
    /// anything is published. Publishing declares them as well.
    pub async fn declare(&self, queue: &str) -> StoreResult<()> {
        let (confirm, channel) = self.admin_channel(queue).await?;
        self.close(&confirm, &channel).await
    }

    /// The depths of a queue, its retry queues and its dead-letter queue, in this order. Missing queues are
    /// declared.
    pub async fn queues(&self, queue: &str) -> StoreResult<Vec<QueueDepth>> {
        let (confirm, channel) = self.admin_channel(queue).await?;
        let mut depths = Vec::new();
        for queue in all_queues(queue, &self.retry_delays) {
            let messages = self.depth(&confirm, &channel, &queue).await?;
            depths.push(QueueDepth { queue, messages });
        }
        self.close(&confirm, &channel).await?;
        Ok(depths)
    }

    /// Moves the jobs of `<queue>.dead` back to `queue` with their attempts reset, and returns how many it
    /// moved. A job is removed from the dead-letter queue only after the broker has confirmed it in `queue`.
    /// Jobs dead-lettered after the start stay, so that a job which fails again is not replayed for ever.
    pub async fn replay_dead(&self, queue: &str) -> StoreResult<u64> {
        let (confirm, channel) = self.admin_channel(queue).await?;
        let dead = dead_queue(queue);
        let depth = u64::from(self.depth(&confirm, &channel, &dead).await?);
        let mut replayed = 0;
        while replayed < depth && self.run(&confirm, replay_one(&confirm, &channel, queue, &dead)).await? {
            replayed += 1;
        }
        self.close(&confirm, &channel).await?;
        Ok(replayed)
    }

    /// Declares the queues and opens a channel of its own. The broker closes a channel when it refuses a
    /// request on it, which must not happen to the confirm channel.
    async fn admin_channel(&self, queue: &str) -> StoreResult<(Arc<ConfirmChannel>, Channel)> {
        let work = async {
            match self.try_admin_channel(queue).await {
                Err(Failure::Amqp(_)) => self.try_admin_channel(queue).await,
                result => result,
            }
        };
        self.broker.with_timeout(CALL_TIMEOUT, work).await
    }

    async fn try_admin_channel(&self, queue: &str) -> Result<(Arc<ConfirmChannel>, Channel), Failure> {
        let confirm = self.broker.confirm_channel().await?;
        let opened = async {
            confirm.declare(queue, &self.retry_delays).await?;
            Ok(confirm.connection.create_channel().await?)
        };
        match opened.await {
            Ok(channel) => Ok((confirm, channel)),
            Err(failure) => Err(self.broker.discard(&confirm, failure)),
        }
    }

    async fn depth(&self, confirm: &Arc<ConfirmChannel>, channel: &Channel, queue: &str) -> StoreResult<u32> {
        self.run(confirm, async { Ok(inspect(channel, queue).await?.message_count()) }).await
    }

    async fn close(&self, confirm: &Arc<ConfirmChannel>, channel: &Channel) -> StoreResult<()> {
        self.run(confirm, async { Ok(channel.close(200, "OK".into()).await?) }).await
    }

    /// Runs one operation within [`CALL_TIMEOUT`], and discards the connection if it fails.
    async fn run<T>(
        &self,
        confirm: &Arc<ConfirmChannel>,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> StoreResult<T> {
        let work = async { work.await.map_err(|failure| self.broker.discard(confirm, failure)) };
        self.broker.with_timeout(CALL_TIMEOUT, work).await
    }
}

/// Moves the oldest dead job back; `false` when there is none.
async fn replay_one(
    confirm: &Arc<ConfirmChannel>,
    channel: &Channel,
    queue: &str,
    dead: &str,
) -> Result<bool, Failure> {
    let Some(job) = channel.basic_get(short_string(dead)?, BasicGetOptions::default()).await? else {
        return Ok(false);
    };
    let properties = job.properties.clone().with_headers(attempt_headers(0));
    let publication = Publication { queue: short_string(queue)?, body: &job.data, properties };
    // Acknowledge last: a crash in between replays the job again, and never loses it.
    publish_confirmed(confirm, &[publication]).await?;
    job.ack(BasicAckOptions::default()).await?;
    Ok(true)
}
