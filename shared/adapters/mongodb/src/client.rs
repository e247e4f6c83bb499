//! One client for all ports: its read and write concerns, the deadline of every operation, and the creation of
//! indexes before the first write.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::options::{
    Acknowledgment, DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database};
use shared::config::Env;
use shared::deadline;
use shared::error::{StoreError, StoreFailure};
use shared::lambda::{Component, Fatal};
use shared::ports::{Probe, StoreResult};
use tokio::sync::OnceCell;

use crate::STORE;
use crate::config::Config;
use crate::failure::store_error;
use crate::indexes::{self, COLLECTIONS};

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The document ports on one MongoDB database. Cloning shares the connections.
#[derive(Clone)]
pub struct Mongo {
    database: Database,
    deadline: Duration,
    /// One per collection, in the order of [`COLLECTIONS`]; set once its indexes exist.
    indexes_created: Arc<[OnceCell<()>; COLLECTIONS.len()]>,
}

impl Mongo {
    /// A client for `config`. It sends nothing yet, except for the DNS look-up of a `mongodb+srv` URI. If the server
    /// is down, operations fail until it is back; no restart is needed.
    pub async fn connect(config: &Config) -> StoreResult<Self> {
        let (options, database) = config.options().await?;
        let client = Client::with_options(options).map_err(store_error)?;
        Ok(Self::over(&client, &database, config.deadline))
    }

    /// The ports over the caller's client, with this adapter's read and write concerns instead of the client's.
    pub fn over(client: &Client, database: &str, deadline: Duration) -> Self {
        let options = DatabaseOptions::builder()
            .read_concern(ReadConcern::majority())
            .write_concern(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build())
            // A client must read its own writes, so reads go to the primary, whatever the URI says.
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        let database = client.database_with_options(database, options);
        Self { database, deadline, indexes_created: Arc::new(std::array::from_fn(|_| OnceCell::new())) }
    }

    /// Creates every index of [`INDEXES`](crate::INDEXES) that does not exist, and computes the keys of stored e-mails
    /// again if an older version stored them in another form. It may be repeated.
    pub async fn setup(&self) -> StoreResult<()> {
        let all = futures::future::try_join_all(COLLECTIONS.map(|name| self.ensure_indexes(name)));
        self.with_deadline(async { all.await.map(drop) }).await?;
        self.refold_emails().await
    }

    /// Deletes the whole database, for tests and tools.
    pub async fn drop_database(&self) -> StoreResult<()> {
        self.with_deadline(async { self.database.drop().await.map_err(store_error) }).await
    }

    pub(crate) fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }

    /// Creates a collection's indexes, once per process. Call it before a write that relies on a unique index.
    pub(crate) async fn ensure_indexes(&self, name: &str) -> StoreResult<()> {
        let position = COLLECTIONS.iter().position(|c| *c == name);
        let Some(created) = position.and_then(|index| self.indexes_created.get(index)) else {
            return Ok(());
        };
        created.get_or_try_init(|| indexes::create(&self.database, name)).await.map(drop)
    }

    /// The longest time for the server to work on one command (`maxTimeMS`): it stops when the caller has stopped waiting. The
    /// driver has no such option for inserts and updates, which are short.
    pub(crate) fn max_time(&self) -> Duration {
        // The server reads 0 as no limit.
        deadline::limit(self.deadline).max(Duration::from_millis(1))
    }

    /// Ends an operation at the deadline, or when the invocation ends. The driver limits each step; this limits their
    /// sum.
    pub(crate) async fn with_deadline<T>(
        &self,
        operation: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        match tokio::time::timeout(deadline::limit(self.deadline), operation).await {
            Ok(result) => result,
            Err(elapsed) => Err(StoreError::down(STORE, elapsed)),
        }
    }
}

#[async_trait]
impl Probe for Mongo {
    async fn check(&self) -> Result<(), StoreFailure> {
        let ping = self.database.run_command(doc! { "ping": 1 });
        let failure = |cause| StoreFailure { store: STORE, cause };
        match tokio::time::timeout(PROBE_TIMEOUT.min(self.deadline), ping).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(error.into())),
            Err(elapsed) => Err(failure(elapsed.into())),
        }
    }
}

impl Component for Mongo {
    type Config = Config;

    fn is_configured(env: &Env) -> bool {
        env.optional("MONGODB_URI").is_some()
    }

    fn read(env: &mut Env) -> Config {
        Config::from_env(env)
    }

    async fn connect(config: Config) -> Result<Self, Fatal> {
        Self::connect(&config).await.map_err(Fatal::from)
    }
}
