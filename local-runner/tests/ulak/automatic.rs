//! Automatic messages: planner, queuer and consumer alone at given instants; the commands against a runner that
//! is up; and the whole chain under kill -9 and with a broker whose connections are cut.
//!
//! `ULAK_TORTURE=full` makes the last ones as large as they are meant to be; otherwise they are shorter.

mod broker;
mod commands;
mod consumer;
mod consumer_failures;
mod ear;
mod faults;
mod journey;
mod missed;
mod planner;
mod queuer;
mod redelivery;
mod scene;
mod source;
mod torture;
