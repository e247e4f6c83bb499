//! The adapter against a real server: `MONGODB_URI` says which; without it, only what needs none.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking, and say loudly what they skip")]

mod append;
mod contract;
mod faults;
mod leads;
mod plans;
mod world;
