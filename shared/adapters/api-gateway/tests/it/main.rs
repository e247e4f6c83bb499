//! Tests of the adapter on a scripted HTTP server that stands in for `@connections` and the Invoke API.

#![allow(clippy::unwrap_used, reason = "test helpers panic on failure, as tests do")]

mod aws;
mod config;
mod invoke;
mod push;
