//! The RabbitMQ adapter against a real broker. Set `AMQP_URL` to run it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail and speak as tests do")]

mod contract;
mod delivery;
mod faults;
mod operator;
mod world;
