//! The one connection to the broker and its confirm channel: opened by the first caller, shared by all callers,
//! replaced when it breaks. While the broker is down, attempts to reconnect are spaced out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use shared::deadline;
use shared::error::{Cause, StoreError};
use shared::ports::StoreResult;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::{STORE, topology};

/// Limits one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause after the first failed attempt to connect. Each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection with one channel in confirm mode, and the queues that were declared over it.
pub(crate) struct ConfirmChannel {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
    declared: Mutex<HashSet<String>>,
}

impl ConfirmChannel {
    /// Declares the queue, its retry queues and its dead-letter queue, once per connection.
    pub(crate) async fn declare(&self, queue: &str, delays: &[Duration]) -> Result<(), Failure> {
        if !self.declared.lock().unwrap_or_else(PoisonError::into_inner).contains(queue) {
            topology::declare(&self.connection, queue, delays).await?;
            self.declared.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned());
        }
        Ok(())
    }
}

/// An open or opening channel. The first caller that needs it opens it; the others wait for that.
type ChannelCell = Arc<OnceCell<Arc<ConfirmChannel>>>;

/// Spaces out attempts to connect. A success resets it.
#[derive(Default)]
struct ReconnectBackoff {
    /// Failed attempts in a row.
    failures: u32,
    not_before: Option<Instant>,
}

impl ReconnectBackoff {
    fn add_failure(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + pause);
    }
}

/// Opens, shares and replaces the [`ConfirmChannel`].
pub(crate) struct BrokerConnection {
    uri: AMQPUri,
    current: Mutex<ChannelCell>,
    backoff: Mutex<ReconnectBackoff>,
}

impl BrokerConnection {
    pub(crate) fn new(uri: AMQPUri) -> Self {
        Self { uri, current: Mutex::default(), backoff: Mutex::default() }
    }

    /// The current channel; connects if there is none.
    pub(crate) async fn confirm_channel(&self) -> Result<Arc<ConfirmChannel>, Failure> {
        let cell = self.current_cell();
        cell.get_or_try_init(|| self.connect()).await.cloned()
    }

    /// Makes the next caller reconnect, and returns the failure. Does nothing if another caller has replaced
    /// the channel already.
    pub(crate) fn discard(&self, broken: &Arc<ConfirmChannel>, failure: Failure) -> Failure {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.get().is_some_and(|channel| Arc::ptr_eq(channel, broken)) {
            *current = ChannelCell::default();
        }
        failure
    }

    /// Limits the time of `work`. If it times out, the peer is assumed dead and the channel is discarded.
    pub(crate) async fn with_timeout<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> StoreResult<T> {
        let result = match tokio::time::timeout(deadline::limit(limit), Box::pin(work)).await {
            Ok(result) => result,
            Err(_) => Err(match self.current_cell().get() {
                Some(channel) => self.discard(channel, Failure::TimedOut(limit)),
                None => Failure::TimedOut(limit),
            }),
        };
        result.map_err(|failure| StoreError::down(STORE, Cause::from(failure)))
    }

    async fn connect(&self) -> Result<Arc<ConfirmChannel>, Failure> {
        let not_before = self.backoff.lock().unwrap_or_else(PoisonError::into_inner).not_before;
        if let Some(moment) = not_before {
            tokio::time::sleep_until(moment).await;
        }
        let opened = match tokio::time::timeout(CONNECT_TIMEOUT, Box::pin(open(self.uri.clone()))).await {
            Ok(opened) => opened.map_err(Failure::Amqp),
            Err(_) => Err(Failure::TimedOut(CONNECT_TIMEOUT)),
        };
        let mut backoff = self.backoff.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_ok() {
            *backoff = ReconnectBackoff::default();
        } else {
            backoff.add_failure();
        }
        opened.map(Arc::new)
    }

    fn current_cell(&self) -> ChannelCell {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn open(uri: AMQPUri) -> Result<ConfirmChannel, lapin::Error> {
    let properties = ConnectionProperties::default().with_connection_name("ulak".into());
    let connection = Connection::connect_uri(uri, properties).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(ConfirmChannel { connection, channel, declared: Mutex::default() })
}
