//! One client for all ports: the concerns it reads and writes with, the deadline of every operation, and the
//! indexes that are made sure of before the first write.

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
use shared::error::{StoreError, StoreFailure};
use shared::lambda::{Component, Fatal};
use shared::ports::{Probe, StoreResult};
use tokio::sync::OnceCell;

use crate::STORE;
use crate::config::Config;
use crate::failure::failed;
use crate::indexes::{self, COLLECTIONS};

/// How long a probe waits.
const PROBE: Duration = Duration::from_secs(2);

/// The document ports on one MongoDB database. Cloning shares the connections.
#[derive(Clone)]
pub struct Mongo {
    database: Database,
    deadline: Duration,
    ready: Arc<[OnceCell<()>; COLLECTIONS.len()]>,
}

impl Mongo {
    /// A client for `config`. Nothing is sent yet (but for the DNS look-up of a `mongodb+srv` URI): a server
    /// that is down shows at the first operation, and is found again without a restart.
    pub async fn connect(config: &Config) -> StoreResult<Self> {
        let (options, database) = config.options().await?;
        let client = Client::with_options(options).map_err(failed)?;
        Ok(Self::over(&client, &database, config.deadline))
    }

    /// The ports over a client that the caller made; its concerns are replaced by ours.
    pub fn over(client: &Client, database: &str, deadline: Duration) -> Self {
        let options = DatabaseOptions::builder()
            .read_concern(ReadConcern::majority())
            .write_concern(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build())
            // What somebody just wrote must be there when he reads: the primary, whatever the URI says.
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        let database = client.database_with_options(database, options);
        Self { database, deadline, ready: Arc::new(std::array::from_fn(|_| OnceCell::new())) }
    }

    /// Creates every index of [`INDEXES`](crate::INDEXES) that is not there. Repeating is harmless.
    pub async fn setup(&self) -> StoreResult<()> {
        let all = futures::future::try_join_all(COLLECTIONS.map(|name| self.ready(name)));
        self.bounded(async { all.await.map(drop) }).await
    }

    /// Deletes the whole database, for tests and tools.
    pub async fn drop_database(&self) -> StoreResult<()> {
        self.bounded(async { self.database.drop().await.map_err(failed) }).await
    }

    /// A collection as documents of `T`.
    pub(crate) fn of<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }

    /// Makes sure, once per process, that a collection's unique indexes stand before something is written
    /// that relies on them.
    pub(crate) async fn ready(&self, name: &str) -> StoreResult<()> {
        let Some(cell) = COLLECTIONS.iter().position(|c| *c == name).and_then(|place| self.ready.get(place))
        else {
            return Ok(());
        };
        cell.get_or_try_init(|| indexes::create(&self.database, name)).await.map(drop)
    }

    /// Ends an operation at the deadline. The driver bounds the steps; this bounds their sum.
    pub(crate) async fn bounded<T>(
        &self,
        operation: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        match tokio::time::timeout(self.deadline, operation).await {
            Ok(answer) => answer,
            Err(late) => Err(StoreError::down(STORE, late)),
        }
    }
}

#[async_trait]
impl Probe for Mongo {
    async fn check(&self) -> Result<(), StoreFailure> {
        let ping = self.database.run_command(doc! { "ping": 1 });
        let failure = |cause| StoreFailure { store: STORE, cause };
        match tokio::time::timeout(PROBE.min(self.deadline), ping).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(error.into())),
            Err(late) => Err(failure(late.into())),
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
