//! A source on a real RabbitMQ: AMQP 0-9-1 with lapin, plain or over TLS, back again after every break.

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
use super::source::{Delivery, Source};
use crate::plan::QueuePlan;

/// The broker's URL cannot be used. The URL stays out of the message: it holds a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the broker's URL is not of the form amqp[s]://user:password@host:port[/vhost]")]
pub struct InvalidUrl;

/// One queue of a RabbitMQ broker.
pub struct RabbitMq {
    uri: AMQPUri,
    queue: ShortString,
    prefetch: u16,
    link: Option<Link>,
    backoff: Backoff,
    /// The trouble that was told last; the same one is not told again.
    told: Option<String>,
    /// Messages given out over the present link, by our id.
    unsettled: BTreeMap<u64, Acker>,
    last_id: u64,
}

/// A consumer, and the connection that it needs alive.
struct Link {
    connection: Connection,
    consumer: Consumer,
}

#[derive(Clone, Copy)]
enum Verdict {
    Ack,
    Nack { requeue: bool },
}

impl RabbitMq {
    /// A source for the mapping's queue on the broker at `url`; it connects at the first
    /// [`next`](Source::next). The mapping's `VIRTUAL_HOST` decides, unless it is the default `/` and
    /// the URL names one.
    ///
    /// # Errors
    /// [`InvalidUrl`], also for a queue name longer than AMQP's 255 bytes.
    pub fn new(url: &str, plan: &QueuePlan) -> Result<Self, InvalidUrl> {
        let mut uri: AMQPUri = url.parse().map_err(|_| InvalidUrl)?;
        if plan.virtual_host != "/" || uri.vhost.is_empty() {
            uri.vhost.clone_from(&plan.virtual_host);
        }
        Ok(Self {
            uri,
            queue: ShortString::try_new(plan.queue.as_str()).map_err(|_| InvalidUrl)?,
            prefetch: u16::try_from(plan.batch_size).unwrap_or(u16::MAX).max(1),
            link: None,
            backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(5)),
            told: None,
            unsettled: BTreeMap::new(),
            last_id: 0,
        })
    }

    /// Opens the link, or tells why not and waits a little.
    async fn open(&mut self) {
        match self.connect().await {
            Ok(link) => {
                tracing::info!(queue = %self.queue, "consumes");
                (self.link, self.told) = (Some(link), None);
                self.backoff.reset();
            }
            Err(error) => {
                self.tell(&error);
                tokio::time::sleep(self.backoff.pause()).await;
            }
        }
    }

    async fn connect(&self) -> lapin::Result<Link> {
        let name = format!("event source {}", self.queue);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connect_uri(self.uri.clone(), properties).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer =
            channel.basic_consume(self.queue.clone(), ShortString::default(), options, arguments).await?;
        Ok(Link { connection, consumer })
    }

    fn tell(&mut self, error: &lapin::Error) {
        let trouble = match error.kind() {
            ErrorKind::ProtocolError(error)
                if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) =>
            {
                "the queue does not exist; waiting for it".to_owned()
            }
            _ => format!("no broker: {error}; trying again"),
        };
        if self.told.as_ref() != Some(&trouble) {
            tracing::warn!(queue = %self.queue, "{trouble}");
            self.told = Some(trouble);
        }
    }

    /// Forgets a broken link. Its messages are the broker's again and come with `redelivered`.
    fn lose(&mut self, error: Option<&lapin::Error>) {
        match error {
            Some(error) => self.tell(error),
            None => tracing::warn!(queue = %self.queue, "the broker ended the consumer; trying again"),
        }
        self.link = None;
        self.unsettled.clear();
    }

    fn receive(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        self.last_id += 1;
        self.unsettled.insert(self.last_id, delivery.acker);
        Delivery {
            id: self.last_id,
            redelivered: delivery.redelivered,
            properties: convert::properties(&delivery.properties),
            data: delivery.data,
        }
    }

    async fn settle(&mut self, ids: &[u64], verdict: Verdict) {
        let Some(last) = ids.last() else { return };
        // A batch is nearly always all there is up to its last message: then one frame does.
        if self.unsettled.range(..=last).map(|(id, _)| id).eq(ids) {
            let later = self.unsettled.split_off(&(last + 1));
            let settled = std::mem::replace(&mut self.unsettled, later);
            if let Some((_, acker)) = settled.last_key_value() {
                say(acker, verdict, true).await;
            }
            return;
        }
        for id in ids {
            if let Some(acker) = self.unsettled.remove(id) {
                say(&acker, verdict, false).await;
            }
        }
    }
}

/// A failure here means a broken link, which the consumer reports too; the message comes again.
async fn say(acker: &Acker, verdict: Verdict, multiple: bool) {
    let said = match verdict {
        Verdict::Ack => acker.ack(BasicAckOptions { multiple }).await,
        Verdict::Nack { requeue } => acker.nack(BasicNackOptions { multiple, requeue }).await,
    };
    if let Err(error) = said {
        tracing::debug!(%error, "a settlement did not reach the broker");
    }
}

impl Source for RabbitMq {
    async fn next(&mut self) -> Delivery {
        loop {
            let Some(link) = &mut self.link else {
                self.open().await;
                continue;
            };
            match link.consumer.next().await {
                Some(Ok(delivery)) => return self.receive(delivery),
                Some(Err(error)) => self.lose(Some(&error)),
                None => self.lose(None),
            }
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        self.settle(ids, Verdict::Ack).await;
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        self.settle(ids, Verdict::Nack { requeue }).await;
    }

    async fn close(self) {
        if let Some(link) = self.link {
            // A broker that is gone needs no goodbye.
            let _ = link.connection.close(200, "the mapping ends".into()).await;
        }
    }
}
