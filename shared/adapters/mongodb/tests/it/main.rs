//! The adapter against the server at `MONGODB_URI`; without it, tests that need a server are skipped.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod append;
mod contract;
mod faults;
mod index_use;
mod plans;
mod test_database;
