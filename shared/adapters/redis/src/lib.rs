//! Sessions, rate limits, connections, rooms, heartbeats, presence and cached members on Redis 6.2 or newer,
//! or on a server that is compatible with it. If the server loses its data, users log in again and clients
//! reconnect; nothing else is lost. Start with [`keys`]: it lists every key.
//!
//! Documents are stored elsewhere. The ports decide when something happens; this crate only stores it.

pub mod keys;

mod config;
mod connections;
mod heartbeats;
mod known_addresses;
mod members;
mod presence;
mod presence_changes;
mod rate_limits;
mod redis_connection;
mod rooms;
mod row;
mod scripts;
mod sessions;

use async_trait::async_trait;
use shared::config::Env;
use shared::error::{StoreError, StoreFailure};
use shared::lambda::{Component, Fatal};
use shared::ports::Probe;

pub use config::Config;

use keys::Keys;
use redis_connection::RedisConnection;
use scripts::Scripts;

/// The store's name in errors and in the health report.
const STORE: &str = "redis";

/// The adapter. One instance serves the whole process. It connects with the first command and reconnects
/// when the connection breaks.
pub struct Redis {
    server: RedisConnection,
    keys: Keys,
    scripts: Scripts,
}

impl Redis {
    /// Does not connect yet.
    pub fn new(config: Config) -> Self {
        let keys = Keys::new(&config.prefix);
        Self { server: RedisConnection::new(config.client), keys, scripts: Scripts::new() }
    }
}

#[async_trait]
impl Probe for Redis {
    async fn check(&self) -> Result<(), StoreFailure> {
        match self.server.query::<String>(&redis::cmd("PING")).await {
            Ok(_) => Ok(()),
            Err(StoreError::Down(failure)) => Err(failure),
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
