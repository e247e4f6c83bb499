//! The Redis adapter against a real server. Set `REDIS_URL` to run it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail and speak as tests do")]

mod contract;
mod edges;
mod faults;
mod limits;
mod mending;
mod sessions;
mod world;
