//! Redis, or anything that speaks its protocol from version 6.2 on: sessions, rate limits, connections,
//! rooms, heartbeats, presence and conversations' members. All of it may be lost. Read [`keys`] first: it lists what lies where.
//!
//! Not here: documents, and any rule about when something happens.

pub mod keys;

mod config;

mod link;

mod row;

mod scripts;

mod sessions;

mod rate_limits;

mod connections;

mod rooms;

mod heartbeats;

mod presence;

mod members;

use async_trait::async_trait;
use shared::config::Env;
use shared::error::StoreFailure;
use shared::lambda::{Component, Fatal};
use shared::ports::Probe;

pub use config::Config;

use keys::Keys;
use link::Link;
use scripts::Scripts;

/// The name that health reports.
const STORE: &str = "redis";

/// The adapter; one for the life of a process, shared by reference. It connects when first needed, and
/// again whenever the connection was lost.
pub struct Redis {
    link: Link,
    keys: Keys,
    scripts: Scripts,
}

impl Redis {
    /// Nothing is sent yet.
    pub fn new(config: Config) -> Self {
        let keys = Keys::new(&config.prefix);
        Self { link: Link::new(config.client), keys, scripts: Scripts::new() }
    }
}

#[async_trait]
impl Probe for Redis {
    async fn check(&self) -> Result<(), StoreFailure> {
        match self.link.query::<String>(&redis::cmd("PING")).await {
            Ok(_) => Ok(()),
            Err(shared::error::StoreError::Down(failure)) => Err(failure),
            Err(other) => Err(StoreFailure { store: STORE, cause: Box::new(other) }),
        }
    }
}

impl Component for Redis {
    type Config = Config;

    fn is_configured(env: &Env) -> bool {
        env.optional("REDIS_URL").is_some()
    }

    fn read(env: &mut Env) -> Config {
        Config::from_env(env)
    }

    async fn connect(config: Config) -> Result<Self, Fatal> {
        Ok(Self::new(config))
    }
}
