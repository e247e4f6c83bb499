//! The embedded store held to the ports' contract, killed, locked, and asked for its queue.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail and speak as tests do")]

mod contract;
mod crash;
mod planning;
mod queue;
mod store;
