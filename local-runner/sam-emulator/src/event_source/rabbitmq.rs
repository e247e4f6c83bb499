//! A source on a RabbitMQ broker: AMQP 0-9-1 with lapin, with or without TLS. It reconnects whenever the
//! connection is lost.

mod convert;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;

use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{Acker, Connection, ConnectionProperties, Consumer, ErrorKind};

use super::backoff::Backoff;
use super::source::{Source, SourceMessage};
use crate::plan::QueuePlan;

/// The broker's URL is not valid. The text does not contain the URL, which has a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the broker's URL is not of the form amqp[s]://user:password@host:port[/vhost]")]
pub struct InvalidUrl;

/// One queue of a RabbitMQ broker.
pub struct RabbitMq {
    uri: AMQPUri,
    queue: ShortString,
    prefetch: u16,
    consumer: Option<ConnectedConsumer>,
    backoff: Backoff,
    /// The problem that was logged last; the same problem is logged once.
    last_logged: Option<String>,
    /// Messages of the current connection that are not settled, by [`SourceMessage::id`].
    unsettled: BTreeMap<u64, Acker>,
    last_id: u64,
}

/// A consumer and the connection that it uses.
struct ConnectedConsumer {
    connection: Connection,
    consumer: Consumer,
}

#[derive(Clone, Copy)]
enum Settlement {
    Ack,
    Nack { requeue: bool },
}

impl RabbitMq {
    /// A source for the queue of `plan` on the broker at `url`. It connects at the first
    /// [`next`](Source::next). The virtual host is the mapping's `VIRTUAL_HOST`, unless that is the default
    /// `/` and the URL names one.
    ///
    /// # Errors
    /// [`InvalidUrl`], also for a queue name of more than 255 bytes, AMQP's limit.
    pub fn new(url: &str, plan: &QueuePlan) -> Result<Self, InvalidUrl> {
        let mut uri: AMQPUri = url.parse().map_err(|_| InvalidUrl)?;
        if plan.virtual_host != "/" || uri.vhost.is_empty() {
            uri.vhost.clone_from(&plan.virtual_host);
        }
        Ok(Self {
            uri,
            queue: ShortString::try_new(plan.queue.as_str()).map_err(|_| InvalidUrl)?,
            prefetch: u16::try_from(plan.batch_size).unwrap_or(u16::MAX).max(1),
            consumer: None,
            backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(5)),
            last_logged: None,
            unsettled: BTreeMap::new(),
            last_id: 0,
        })
    }

    /// Starts consuming. If that fails, logs the problem and waits for the backoff delay.
    async fn open(&mut self) {
        match self.connect().await {
            Ok(consumer) => {
                tracing::info!(queue = %self.queue, "consuming the queue");
                (self.consumer, self.last_logged) = (Some(consumer), None);
                self.backoff.reset();
            }
            Err(error) => {
                self.log_once(&error);
                tokio::time::sleep(self.backoff.next_delay()).await;
            }
        }
    }

    async fn connect(&self) -> lapin::Result<ConnectedConsumer> {
        let name = format!("event source {}", self.queue);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connect_uri(self.uri.clone(), properties).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer =
            channel.basic_consume(self.queue.clone(), ShortString::default(), options, arguments).await?;
        Ok(ConnectedConsumer { connection, consumer })
    }

    /// Logs a problem unless it was the last one logged.
    fn log_once(&mut self, error: &lapin::Error) {
        let problem = match error.kind() {
            ErrorKind::ProtocolError(error)
                if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) =>
            {
                "the queue does not exist".to_owned()
            }
            _ => error.to_string(),
        };
        if self.last_logged.as_ref() != Some(&problem) {
            tracing::warn!(queue = %self.queue, error = problem, "cannot consume the queue; retrying");
            self.last_logged = Some(problem);
        }
    }

    /// Forgets a lost connection. The broker redelivers its unsettled messages.
    fn disconnect(&mut self, error: Option<&lapin::Error>) {
        match error {
            Some(error) => self.log_once(error),
            None => tracing::warn!(queue = %self.queue, "the broker cancelled the consumer; retrying"),
        }
        self.consumer = None;
        self.unsettled.clear();
    }

    fn receive(&mut self, delivery: lapin::message::Delivery) -> SourceMessage {
        self.last_id += 1;
        self.unsettled.insert(self.last_id, delivery.acker);
        SourceMessage {
            id: self.last_id,
            redelivered: delivery.redelivered,
            properties: convert::properties(&delivery.properties),
            data: delivery.data,
        }
    }

    async fn settle(&mut self, ids: &[u64], settlement: Settlement) {
        let Some(last) = ids.last() else { return };
        // A batch usually contains every unsettled message up to its last one. Then one frame settles all of
        // them.
        if self.unsettled.range(..=last).map(|(id, _)| id).eq(ids) {
            let later = self.unsettled.split_off(&(last + 1));
            let settled = std::mem::replace(&mut self.unsettled, later);
            if let Some((_, acker)) = settled.last_key_value() {
                send_settlement(acker, settlement, true).await;
            }
            return;
        }
        for id in ids {
            if let Some(acker) = self.unsettled.remove(id) {
                send_settlement(&acker, settlement, false).await;
            }
        }
    }
}

/// Sends an acknowledgement or a rejection. It fails only when the connection is lost; the consumer reports
/// that, and the broker redelivers the message.
async fn send_settlement(acker: &Acker, settlement: Settlement, multiple: bool) {
    let sent = match settlement {
        Settlement::Ack => acker.ack(BasicAckOptions { multiple }).await,
        Settlement::Nack { requeue } => acker.nack(BasicNackOptions { multiple, requeue }).await,
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "acknowledgement not sent");
    }
}

impl Source for RabbitMq {
    async fn next(&mut self) -> SourceMessage {
        loop {
            let Some(connected) = &mut self.consumer else {
                self.open().await;
                continue;
            };
            match connected.consumer.next().await {
                Some(Ok(delivery)) => return self.receive(delivery),
                Some(Err(error)) => self.disconnect(Some(&error)),
                None => self.disconnect(None),
            }
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        self.settle(ids, Settlement::Ack).await;
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        self.settle(ids, Settlement::Nack { requeue }).await;
    }

    async fn close(self) {
        if let Some(connected) = self.consumer {
            // An error means that the connection is lost already.
            let _ = connected.connection.close(200, "the poller stops".into()).await;
        }
    }
}
