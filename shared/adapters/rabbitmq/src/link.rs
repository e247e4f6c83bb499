//! The one connection and its confirm channel: made when first needed, shared by all, replaced when it
//! broke, and not asked for again too soon when the broker is away.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use shared::error::{Cause, StoreError};
use shared::ports::StoreResult;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::{STORE, topology};

/// The longest that one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(2);

/// The pause after the first failed attempt to connect; every further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection with its confirm channel, and the queues that were declared over it.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
    declared: Mutex<HashSet<String>>,
}

impl Line {
    /// Makes sure that the queue and all that belong to it are there.
    pub(crate) async fn declare(&self, queue: &str, delays: &[Duration]) -> Result<(), Failure> {
        if !self.declared.lock().unwrap_or_else(PoisonError::into_inner).contains(queue) {
            topology::declare(&self.connection, queue, delays).await?;
            self.declared.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned());
        }
        Ok(())
    }
}

/// A line that is there or is being made: whoever needs it first makes it, the others wait for it.
type Cell = Arc<OnceCell<Arc<Line>>>;

/// How connecting went of late.
#[derive(Default)]
struct Weather {
    failures: u32,
    not_before: Option<Instant>,
}

/// The way to the broker.
pub(crate) struct Link {
    uri: AMQPUri,
    current: Mutex<Cell>,
    weather: Mutex<Weather>,
}

impl Link {
    pub(crate) fn new(uri: AMQPUri) -> Self {
        Self { uri, current: Mutex::default(), weather: Mutex::default() }
    }

    /// The line that serves now.
    pub(crate) async fn line(&self) -> Result<Arc<Line>, Failure> {
        let cell = self.cell();
        cell.get_or_try_init(|| self.connect()).await.cloned()
    }

    /// Lets the next one connect afresh, unless somebody has seen to that already; gives the failure back.
    pub(crate) fn give_up(&self, line: &Arc<Line>, failure: Failure) -> Failure {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.get().is_some_and(|serving| Arc::ptr_eq(serving, line)) {
            *current = Cell::default();
        }
        failure
    }

    /// Does something that must end in time. If it does not, the line is taken for dead.
    pub(crate) async fn bounded<T>(
        &self,
        bound: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> StoreResult<T> {
        let answer = match tokio::time::timeout(bound, Box::pin(work)).await {
            Ok(answer) => answer,
            Err(_) => Err(match self.cell().get() {
                Some(line) => self.give_up(line, Failure::Silent(bound)),
                None => Failure::Silent(bound),
            }),
        };
        answer.map_err(|failure| StoreError::down(STORE, Cause::from(failure)))
    }

    async fn connect(&self) -> Result<Arc<Line>, Failure> {
        let not_before = self.weather.lock().unwrap_or_else(PoisonError::into_inner).not_before;
        if let Some(moment) = not_before {
            tokio::time::sleep_until(moment).await;
        }
        let made = match tokio::time::timeout(CONNECT, Box::pin(open(self.uri.clone()))).await {
            Ok(made) => made.map_err(Failure::Amqp),
            Err(_) => Err(Failure::Silent(CONNECT)),
        };
        self.remember(made.is_ok());
        made.map(Arc::new)
    }

    fn remember(&self, well: bool) {
        let mut weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        if well {
            *weather = Weather::default();
        } else {
            let pause = FIRST_PAUSE.saturating_mul(1 << weather.failures.min(10)).min(LONGEST_PAUSE);
            weather.failures = weather.failures.saturating_add(1);
            weather.not_before = Some(Instant::now() + pause);
        }
    }

    fn cell(&self) -> Cell {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn open(uri: AMQPUri) -> Result<Line, lapin::Error> {
    let properties = ConnectionProperties::default().with_connection_name("ulak".into());
    let connection = Connection::connect_uri(uri, properties).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(Line { connection, channel, declared: Mutex::default() })
}
