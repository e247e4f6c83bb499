//! `Outbox`: persistent messages, each confirmed by the broker before anybody is told that it is there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Confirmation};
use shared::lambda::queue::ATTEMPT_HEADER;
use shared::ports::{Outbox, OutboxMessage, StoreResult};

use crate::RabbitMq;
use crate::failure::Failure;
use crate::link::Line;
use crate::topology::{dead_queue, name, retry_queue, step};

/// The longest that one portion of messages may take, connecting and a second try included.
pub(crate) const BOUND: Duration = Duration::from_secs(5);

/// How many messages are under way before their confirms are awaited.
const PORTION: usize = 256;

/// AMQP's number for a message that is written to disk.
const PERSISTENT: u8 = 2;

/// The header that says why a job was buried.
const REASON_HEADER: &str = "x-reason";

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// A message on its way to the queue `to`.
pub(crate) struct Parcel<'a> {
    pub(crate) to: ShortString,
    pub(crate) body: &'a [u8],
    pub(crate) properties: BasicProperties,
}

#[async_trait]
impl Outbox for RabbitMq {
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()> {
        for portion in messages.chunks(PORTION) {
            let parcels = portion.iter().map(|message| Parcel::new(queue, message)).collect();
            self.deliver(queue, parcels).await?;
        }
        Ok(())
    }

    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()> {
        let delays = &self.retry_delays;
        let delay = step(message.attempt, delays.len()).map_or(Duration::ZERO, |step| delays[step]);
        let to = retry_queue(queue, message.attempt, delays.len()).unwrap_or_else(|| queue.to_owned());
        let parcel = Parcel::new(&to, message).map(|parcel| parcel.expiring(delay));
        self.deliver(queue, vec![parcel]).await
    }

    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()> {
        let parcel = Parcel::new(&dead_queue(queue), message).map(|parcel| parcel.because(reason));
        self.deliver(queue, vec![parcel]).await
    }
}

impl<'a> Parcel<'a> {
    fn new(to: &str, message: &'a OutboxMessage) -> Result<Self, Failure> {
        let properties = BasicProperties::default()
            .with_message_id(name(&message.id)?)
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_headers(attempts(message.attempt));
        Ok(Self { to: name(to)?, body: &message.body, properties })
    }

    /// A retry queue without delay is none: the job goes straight back.
    fn expiring(mut self, delay: Duration) -> Self {
        self.properties = self.properties.with_expiration(delay.as_millis().to_string().into());
        self
    }

    fn because(mut self, reason: &str) -> Self {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        headers.insert(REASON_HEADER.into(), AMQPValue::LongString(LongString::from(reason)));
        self.properties = self.properties.with_headers(headers);
        self
    }
}

/// Headers that count failures.
pub(crate) fn attempts(count: u32) -> FieldTable {
    let mut headers = FieldTable::default();
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongInt(count));
    headers
}

impl RabbitMq {
    /// Hands a portion over; when the line breaks meanwhile, once more over a new one. So a message may
    /// arrive twice, but never less than once.
    async fn deliver(&self, queue: &str, parcels: Vec<Result<Parcel<'_>, Failure>>) -> StoreResult<()> {
        self.link
            .bounded(BOUND, async {
                let parcels = parcels.into_iter().collect::<Result<Vec<_>, _>>()?;
                match self.deliver_once(queue, &parcels).await {
                    Err(Failure::Amqp(_) | Failure::Unroutable(_)) => {
                        self.deliver_once(queue, &parcels).await
                    }
                    answer => answer,
                }
            })
            .await
    }

    async fn deliver_once(&self, queue: &str, parcels: &[Parcel<'_>]) -> Result<(), Failure> {
        let line = self.link.line().await?;
        let answer = match line.declare(queue, &self.retry_delays).await {
            Ok(()) => confirmed(&line, parcels).await,
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| self.link.give_up(&line, failure))
    }
}

/// Publishes all, then waits until the broker has every one of them on disk.
pub(crate) async fn confirmed(line: &Arc<Line>, parcels: &[Parcel<'_>]) -> Result<(), Failure> {
    let mut confirms = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let (to, properties) = (parcel.to.clone(), parcel.properties.clone());
        let confirm = line.channel.basic_publish("".into(), to, options, parcel.body, properties).await?;
        confirms.push((&parcel.to, confirm));
    }
    for (to, confirm) in confirms {
        match confirm.await? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => return Err(Failure::Unroutable(to.to_string())),
            Confirmation::Nack(_) | Confirmation::NotRequested => {
                return Err(Failure::Refused(to.to_string()));
            }
        }
    }
    Ok(())
}
