//! The outbox on RabbitMQ: confirmed publishing, delayed retries, and dead-letter queues that can be inspected
//! and replayed. Start with [`topology`]: it lists the queues.
//!
//! Nothing is consumed here. On AWS the event source mapping consumes the queues, locally the runner.

mod broker_connection;
mod config;
mod failure;
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

use broker_connection::BrokerConnection;
use failure::Failure;

/// The store's name in errors and in the health report.
const STORE: &str = "rabbitmq";

/// Limits a health check, including connecting.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The adapter. One instance serves the whole process. It connects with the first call and reconnects when
/// the connection breaks.
pub struct RabbitMq {
    broker: BrokerConnection,
    retry_delays: Vec<Duration>,
}

impl RabbitMq {
    /// Does not connect yet.
    pub fn new(config: Config) -> Self {
        Self { broker: BrokerConnection::new(config.uri), retry_delays: config.retry_delays }
    }
}

#[async_trait]
impl Probe for RabbitMq {
    async fn check(&self) -> Result<(), StoreFailure> {
        let probe = async {
            let confirm = self.broker.confirm_channel().await?;
            // `basic.qos` only affects consumers, and this channel has none. But the broker must answer it.
            let answer = confirm.channel.basic_qos(1, BasicQosOptions::default()).await;
            answer.map_err(|error| self.broker.discard(&confirm, Failure::Amqp(error)))
        };
        match self.broker.with_timeout(PROBE_TIMEOUT, probe).await {
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
