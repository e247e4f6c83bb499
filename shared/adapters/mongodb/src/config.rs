//! Where the server is, and how long and how widely we talk to it.

use std::time::Duration;

use mongodb::options::ClientOptions;
use shared::config::{Env, Secret};
use shared::error::StoreError;

use crate::STORE;

/// The database when neither `MONGODB_DATABASE` nor the URI names one.
const DATABASE: &str = "ulak";
/// Connections per process: a Lambda serves one event at a time, so a handful is plenty.
const POOL: u32 = 8;
/// The bound of every operation of a port, retries and waiting for a server included.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long an operation looks for a server before it gives up.
const SELECTION: Duration = Duration::from_secs(3);
/// How often the driver looks at the server beside all operations. A server that fell silent, which no operation
/// can tell from a slow one, is found out within this and a connect timeout; until then pooled connections to
/// it cost their users a deadline each.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How to reach MongoDB. The URI carries a password, so it never shows in `Debug`.
#[derive(Debug, Clone)]
pub struct Config {
    uri: Secret,
    database: Option<String>,
    pool: u32,
    pub(crate) deadline: Duration,
}

impl Config {
    /// A server and, if the URI does not name it, a database.
    pub fn new(uri: impl Into<String>, database: Option<&str>) -> Self {
        let database = database.map(str::to_owned);
        Self { uri: Secret::new(uri), database, pool: POOL, deadline: DEADLINE }
    }

    /// `MONGODB_URI`, and if set `MONGODB_DATABASE` (else the URI's, else `ulak`) and `MONGODB_MAX_POOL_SIZE`.
    pub fn from_env(env: &mut Env) -> Self {
        let uri = env.required("MONGODB_URI", "where the documents are, mongodb://… or mongodb+srv://…");
        let database = env.optional("MONGODB_DATABASE");
        let pool = env.parsed("MONGODB_MAX_POOL_SIZE", POOL);
        Self::new(uri, database.as_deref()).pool(pool)
    }

    /// The most connections to one server, at least 1.
    #[must_use]
    pub fn pool(mut self, connections: u32) -> Self {
        self.pool = connections.max(1);
        self
    }

    /// The bound of every operation, 5 s unless told, never more.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(DEADLINE);
        self
    }

    /// The driver's options and the database's name. A `mongodb+srv` URI is looked up in the DNS here.
    pub(crate) async fn options(&self) -> Result<(ClientOptions, String), StoreError> {
        // The driver's own words may quote the URI, so they are not passed on.
        let unreadable =
            || StoreError::down(STORE, "MONGODB_URI cannot be read, or its DNS seed list is not there");
        let parsed = tokio::time::timeout(self.deadline, ClientOptions::parse(self.uri.reveal())).await;
        let mut options = parsed.ok().and_then(Result::ok).ok_or_else(unreadable)?;
        let patience = SELECTION.min(self.deadline);
        options.app_name.get_or_insert_with(|| "ulak".to_owned());
        options.max_pool_size = Some(self.pool);
        options.server_selection_timeout = Some(patience);
        options.connect_timeout = Some(patience);
        options.heartbeat_freq.get_or_insert(HEARTBEAT);
        let named = self.database.clone().or_else(|| options.default_database.clone());
        Ok((options, named.unwrap_or_else(|| DATABASE.to_owned())))
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
    async fn the_database_is_named_by_the_variable_else_the_uri_else_ulak() {
        let table = [
            (vec![("MONGODB_URI", "mongodb://h/inuri")], "inuri"),
            (vec![("MONGODB_URI", "mongodb://h/inuri"), ("MONGODB_DATABASE", "told")], "told"),
            (vec![("MONGODB_URI", "mongodb://h")], "ulak"),
        ];
        for (pairs, expected) in table {
            let (_, database) = Config::from_env(&mut env(&pairs)).options().await.unwrap();
            assert_eq!(database, expected, "{pairs:?}");
        }
    }

    #[tokio::test]
    async fn no_password_is_ever_shown() {
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
    fn a_missing_uri_is_a_problem_by_name() {
        let mut env = env(&[]);
        let _ = Config::from_env(&mut env);
        assert!(env.finish().unwrap_err().to_string().contains("MONGODB_URI"));
    }
}
