//! Tests of the RabbitMQ adapter on a real broker. They are skipped unless `AMQP_URL` is set.

#![allow(clippy::unwrap_used, reason = "test helpers panic on failure, as tests do")]

mod contract;
mod delivery;
mod faults;
mod operator;
mod test_broker;
