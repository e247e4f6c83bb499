//! The adapter against a real server when `ELASTICSEARCH_URL` is set, and always against a small one that
//! fails on demand.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail and speak as tests do")]

mod contract;
mod faults;
mod requests;
mod versions;
mod world;
