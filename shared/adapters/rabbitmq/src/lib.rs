//! RabbitMQ: confirmed publishing, delayed retries, a graveyard that can be listed and replayed. Read
//! [`topology`] first: it lists the queues.
//!
//! Not here: consuming. On AWS the event source does that, locally the runner.

mod config;

mod failure;
mod link;

mod outbox;

mod queues;

pub mod topology;

use std::time::Duration;

use async_trait::async_trait;
use lapin::options::BasicQosOptions;
use shared::config::Env;
use shared::error::{StoreError, StoreFailure};
use shared::lambda::{Component, Fatal};
use shared::ports::Probe;

pub use config::Config;
pub use queues::QueueDepth;

use failure::Failure;
use link::Link;

/// The name that health reports.
const STORE: &str = "rabbitmq";

/// The longest that asking after the broker's health may take.
const PROBE: Duration = Duration::from_secs(2);

/// The adapter; one for the life of a process, shared by reference. It connects when first needed, and
/// again whenever the connection was lost.
pub struct RabbitMq {
    link: Link,
    retry_delays: Vec<Duration>,
}

impl RabbitMq {
    /// Nothing is sent yet.
    pub fn new(config: Config) -> Self {
        Self { link: Link::new(config.uri), retry_delays: config.retry_delays }
    }
}

#[async_trait]
impl Probe for RabbitMq {
    async fn check(&self) -> Result<(), StoreFailure> {
        let asked = self.link.bounded(PROBE, async {
            let line = self.link.line().await?;
            // It asks for nothing new, but the broker has to answer it.
            let answer = line.channel.basic_qos(1, BasicQosOptions::default()).await;
            answer.map_err(|error| self.link.give_up(&line, Failure::Amqp(error)))
        });
        match asked.await {
            Ok(()) => Ok(()),
            Err(StoreError::Down(failure)) => Err(failure),
            Err(other) => Err(StoreFailure { store: STORE, cause: Box::new(other) }),
        }
    }
}

impl Component for RabbitMq {
    type Config = Config;

    fn is_configured(env: &Env) -> bool {
        env.optional("AMQP_URL").is_some()
    }

    fn read(env: &mut Env) -> Config {
        Config::from_env(env)
    }

    async fn connect(config: Config) -> Result<Self, Fatal> {
        Ok(Self::new(config))
    }
}
