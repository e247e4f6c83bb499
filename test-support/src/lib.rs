//! What the tests of several packages share. Only dev-dependencies may name this crate.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

pub mod contract;
mod report;

pub use report::{report, server_url, skip};
