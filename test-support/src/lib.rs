//! What the tests of several packages share. Only dev-dependencies may name this crate.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

pub mod auto_messages;
pub mod contract;
pub mod events;
pub mod fault_proxy;
pub mod faulty_store;
pub mod fixture;
pub mod http_client;
pub mod person;
pub mod proxied_server;
pub mod random_frames;
mod report;
pub mod scripted_server;
pub mod search_index;
pub mod socket_crowd;
pub mod test_server;
mod unique;
pub mod vhost;

pub use report::{leave_to_another_run, report, server_url, servers_are_required, skip};
pub use test_server::repository;
pub use unique::unique_name;
