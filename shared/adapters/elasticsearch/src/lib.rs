//! Full-text search on Elasticsearch 8 or OpenSearch. It uses plain HTTP and JSON, in the subset that both
//! servers support, so neither's client library is needed.
//!
//! The index holds folded words, member ids, and the ids of messages and conversations. [`shared::search`]
//! folds the words (Turkish letters included) before they are indexed, and the server only matches prefixes,
//! so every store finds the same messages. The servers' own `turkish` analyzer is not used: it reduces words
//! to stems and would find other messages. A message's text is read from the document store.
//!
//! The configured name is an alias. The index behind it has the version of the mapping in its name.

mod config;
mod index;
mod query;
mod search_client;
mod setup;

pub use config::Config;

use shared::config::Env;
use shared::lambda::{Component, Fatal};

use search_client::SearchClient;

/// The store's name in errors and in the health report.
const STORE: &str = "elasticsearch";

/// The adapter. One instance serves the whole process. Every request ends within 5 s, and is sent a second time
/// when its connection breaks.
pub struct Search {
    client: SearchClient,
    /// Contains only characters that need no escaping in a path.
    alias: String,
}

impl Search {
    /// Does not connect yet.
    pub fn new(config: Config) -> Self {
        Self { alias: config.index.clone(), client: SearchClient::new(config) }
    }

    /// Reads `ELASTICSEARCH_URL` (`https://[user:password@]host[:port][/path]`, or `http://…`) and
    /// `ELASTICSEARCH_INDEX` (default `ulak-messages`). Problems are recorded in `env`.
    pub fn from_env(env: &mut Env) -> Self {
        Self::new(Config::from_env(env))
    }
}

impl Component for Search {
    type Config = Config;

    fn is_configured(env: &Env) -> bool {
        env.optional("ELASTICSEARCH_URL").is_some()
    }

    fn read(env: &mut Env) -> Config {
        Config::from_env(env)
    }

    async fn connect(config: Config) -> Result<Self, Fatal> {
        Ok(Self::new(config))
    }
}
