//! `SearchIndex`, `SearchIndexWriter` and `Probe` on Elasticsearch 8 or OpenSearch, as plain HTTP and JSON: what both
//! servers agree on, without either's client library.
//!
//! The index knows words, members and ids, nothing else. Words are folded by [`shared::search`] before they
//! get there, Turkish letters with them, and the server only compares beginnings: so a search finds here what
//! it finds in every other store. The servers' own `turkish` analyzer is not used, because it cuts words
//! down to stems and would find other things. What a message says is read from the document store.
//!
//! The name that is configured is an alias; the index behind it carries the mapping's version.

mod config;

mod link;

mod setup;

mod index;

mod query;

pub use config::Config;

use shared::config::Env;
use shared::lambda::{Component, Fatal};

use link::Link;

/// The name that health reports.
const STORE: &str = "elasticsearch";

/// The adapter; one for the life of a process, shared by reference. Every request ends within 5 s, and is sent
/// again once when its connection broke: repeating any of them is harmless.
pub struct Search {
    link: Link,
    /// The alias; letters that need no escaping in a path.
    name: String,
}

impl Search {
    /// Nothing is sent yet.
    pub fn new(config: Config) -> Self {
        Self { name: config.index.clone(), link: Link::new(config) }
    }

    /// From `ELASTICSEARCH_URL` (`https://[user:password@]host[:port][/path]`, or `http://…`) and
    /// `ELASTICSEARCH_INDEX` (default `ulak-messages`); problems are left with `env`.
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
