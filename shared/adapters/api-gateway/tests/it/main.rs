//! The adapter against a scripted HTTP server that plays `@connections` and the Invoke API.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod aws;
mod config;
mod invoke;
mod push;
