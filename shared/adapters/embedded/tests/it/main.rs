//! The embedded store: the ports' contract, kill -9, the directory's lock, restarts, the queue.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test helpers fail by panicking and print what they measured"
)]

mod contract;
mod crash;
mod planning;
mod queue;
mod store;
