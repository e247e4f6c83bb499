//! The server's address, the pool size and the timeouts.

use std::time::Duration;

use mongodb::options::ClientOptions;
use shared::config::{Env, Secret};
use shared::error::StoreError;

use crate::STORE;

/// The database when neither `MONGODB_DATABASE` nor the URI names one.
const DEFAULT_DATABASE: &str = "ulak";
/// Connections per process; a Lambda handles one event at a time and needs only a few.
const DEFAULT_POOL: u32 = 8;
/// The longest that an operation of a port may take, including retries and the selection of a server.
const MAX_DEADLINE: Duration = Duration::from_secs(5);
/// How long an operation waits for a reachable server before it fails.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(3);
/// How often the driver checks the server in the background. An operation cannot tell an unresponsive server from a
/// slow one, so each operation on a pooled connection waits for its whole deadline. The check finds such a server
/// after at most this interval plus a connect timeout.
const MONITOR_INTERVAL: Duration = Duration::from_secs(2);

/// How to reach MongoDB. The URI contains a password, so `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Config {
    uri: Secret,
    database: Option<String>,
    pool: u32,
    pub(crate) deadline: Duration,
}

impl Config {
    /// `database` takes precedence over the URI's; without either it is `ulak`.
    pub fn new(uri: impl Into<String>, database: Option<&str>) -> Self {
        let database = database.map(str::to_owned);
        Self { uri: Secret::new(uri), database, pool: DEFAULT_POOL, deadline: MAX_DEADLINE }
    }

    /// Reads `MONGODB_URI` and, if they are set, `MONGODB_DATABASE` and `MONGODB_MAX_POOL_SIZE`.
    pub fn from_env(env: &mut Env) -> Self {
        let uri = env.required("MONGODB_URI", "the MongoDB server, as mongodb://… or mongodb+srv://…");
        let database = env.optional("MONGODB_DATABASE");
        let pool = env.parsed("MONGODB_MAX_POOL_SIZE", DEFAULT_POOL);
        Self::new(uri, database.as_deref()).pool(pool)
    }

    /// The maximum number of connections to one server; 0 counts as 1.
    #[must_use]
    pub fn pool(mut self, connections: u32) -> Self {
        self.pool = connections.max(1);
        self
    }

    /// The longest that an operation may take: 5 s by default and at most.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(MAX_DEADLINE);
        self
    }

    /// The driver's options and the database's name. Resolves the DNS seed list of a `mongodb+srv` URI.
    pub(crate) async fn options(&self) -> Result<(ClientOptions, String), StoreError> {
        // The driver's message may quote the URI with its password, so it is not passed on.
        let invalid_uri = || {
            let message = "MONGODB_URI is no valid MongoDB URI, or its DNS seed list cannot be resolved";
            StoreError::down(STORE, message)
        };
        let parsed = tokio::time::timeout(self.deadline, ClientOptions::parse(self.uri.reveal())).await;
        let mut options = parsed.ok().and_then(Result::ok).ok_or_else(invalid_uri)?;
        let timeout = SELECTION_TIMEOUT.min(self.deadline);
        options.app_name.get_or_insert_with(|| "ulak".to_owned());
        options.max_pool_size = Some(self.pool);
        options.server_selection_timeout = Some(timeout);
        options.connect_timeout = Some(timeout);
        options.heartbeat_freq.get_or_insert(MONITOR_INTERVAL);
        let named = self.database.clone().or_else(|| options.default_database.clone());
        Ok((options, named.unwrap_or_else(|| DEFAULT_DATABASE.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Env;

    use super::Config;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[tokio::test]
    async fn database_name_comes_from_the_variable_then_the_uri_then_the_default() {
        let table = [
            (vec![("MONGODB_URI", "mongodb://h/inuri")], "inuri"),
            (vec![("MONGODB_URI", "mongodb://h/inuri"), ("MONGODB_DATABASE", "other")], "other"),
            (vec![("MONGODB_URI", "mongodb://h")], "ulak"),
        ];
        for (pairs, expected) in table {
            let (_, database) = Config::from_env(&mut env(&pairs)).options().await.unwrap();
            assert_eq!(database, expected, "{pairs:?}");
        }
    }

    #[tokio::test]
    async fn debug_and_errors_never_contain_the_password() {
        for uri in
            ["mongodb://ada:hunter2@h/db", "mongodb://ada:hunter2/@@h", "hunter2", "mongodb://h/?w=hunter2&x"]
        {
            let config = Config::new(uri, None);
            let failure = config.options().await.err().map(|e| format!("{e} {e:?}")).unwrap_or_default();
            let shown = format!("{config:?} {failure}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn missing_uri_is_reported_by_its_variable() {
        let mut env = env(&[]);
        let _ = Config::from_env(&mut env);
        assert!(env.finish().unwrap_err().to_string().contains("MONGODB_URI"));
    }
}
