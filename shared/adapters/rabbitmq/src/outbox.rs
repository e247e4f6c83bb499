//! `Outbox`: persistent messages. A call returns only after the broker has confirmed each of its messages.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Confirmation};
use shared::lambda::queue::ATTEMPT_HEADER;
use shared::ports::{Outbox, OutboxMessage, StoreResult};
use shared::retry;

use crate::RabbitMq;
use crate::broker_connection::ConfirmChannel;
use crate::failure::Failure;
use crate::topology::{dead_queue, retry_queue, short_string};

/// Limits one batch or one queue operation, including connecting and a second try.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The most messages that are published before their confirms are awaited.
const BATCH: usize = 256;

/// AMQP's delivery mode for messages that are written to disk.
const PERSISTENT: u8 = 2;

/// The header with the reason why a job was dead-lettered.
const REASON_HEADER: &str = "x-reason";

/// Longer reasons are cut, in characters.
const LONGEST_REASON: usize = 500;

/// A message and the queue to which it is published.
pub(crate) struct Publication<'a> {
    pub(crate) queue: ShortString,
    pub(crate) body: &'a [u8],
    pub(crate) properties: BasicProperties,
}

#[async_trait]
impl Outbox for RabbitMq {
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()> {
        for batch in messages.chunks(BATCH) {
            let publications = batch.iter().map(|message| Publication::new(queue, message)).collect();
            self.publish_batch(queue, publications).await?;
        }
        Ok(())
    }

    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()> {
        let delays = &self.retry_delays;
        let delay = retry::delay(delays, message.attempt);
        let to = retry_queue(queue, message.attempt, delays.len()).unwrap_or_else(|| queue.to_owned());
        let publication = Publication::new(&to, message).map(|publication| publication.expiring(delay));
        self.publish_batch(queue, vec![publication]).await
    }

    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()> {
        let dead = dead_queue(queue);
        let publication = Publication::new(&dead, message).map(|publication| publication.with_reason(reason));
        self.publish_batch(queue, vec![publication]).await
    }
}

impl<'a> Publication<'a> {
    fn new(queue: &str, message: &'a OutboxMessage) -> Result<Self, Failure> {
        let properties = BasicProperties::default()
            .with_message_id(short_string(&message.id)?)
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_headers(attempt_headers(message.attempt));
        Ok(Self { queue: short_string(queue)?, body: &message.body, properties })
    }

    /// Makes the message expire after `delay`. In a retry queue, that sends it back to the job queue.
    fn expiring(mut self, delay: Duration) -> Self {
        self.properties = self.properties.with_expiration(delay.as_millis().to_string().into());
        self
    }

    fn with_reason(mut self, reason: &str) -> Self {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        headers.insert(REASON_HEADER.into(), AMQPValue::LongString(LongString::from(reason)));
        self.properties = self.properties.with_headers(headers);
        self
    }
}

/// Headers with the number of failed attempts.
pub(crate) fn attempt_headers(attempt: u32) -> FieldTable {
    let mut headers = FieldTable::default();
    let attempt = i32::try_from(attempt).unwrap_or(i32::MAX);
    headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongInt(attempt));
    headers
}

impl RabbitMq {
    /// Publishes a batch, and publishes it again over a new connection if the first one breaks before all
    /// confirms have arrived. A message may therefore arrive twice, but is never lost.
    async fn publish_batch(
        &self,
        queue: &str,
        publications: Vec<Result<Publication<'_>, Failure>>,
    ) -> StoreResult<()> {
        let work = async {
            let publications = publications.into_iter().collect::<Result<Vec<_>, _>>()?;
            match self.try_publish_batch(queue, &publications).await {
                // An unroutable message means that a queue was deleted; a new connection declares it again.
                Err(Failure::Amqp(_) | Failure::Unroutable(_)) => {
                    self.try_publish_batch(queue, &publications).await
                }
                result => result,
            }
        };
        self.broker.with_timeout(CALL_TIMEOUT, work).await
    }

    async fn try_publish_batch(&self, queue: &str, publications: &[Publication<'_>]) -> Result<(), Failure> {
        let confirm = self.broker.confirm_channel().await?;
        let result = match confirm.declare(queue, &self.retry_delays).await {
            Ok(()) => publish_confirmed(&confirm, publications).await,
            Err(failure) => Err(failure),
        };
        result.map_err(|failure| self.broker.discard(&confirm, failure))
    }
}

/// Publishes all messages, then waits until the broker has confirmed each of them.
pub(crate) async fn publish_confirmed(
    confirm: &Arc<ConfirmChannel>,
    publications: &[Publication<'_>],
) -> Result<(), Failure> {
    let mut confirms = Vec::with_capacity(publications.len());
    for Publication { queue, body, properties } in publications {
        // Mandatory: the broker returns a message whose queue does not exist, instead of dropping it.
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let published = confirm
            .channel
            .basic_publish("".into(), queue.clone(), options, body, properties.clone())
            .await?;
        confirms.push((queue, published));
    }
    for (queue, published) in confirms {
        match published.await? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => return Err(Failure::Unroutable(queue.to_string())),
            Confirmation::Nack(_) | Confirmation::NotRequested => {
                return Err(Failure::Rejected(queue.to_string()));
            }
        }
    }
    Ok(())
}
