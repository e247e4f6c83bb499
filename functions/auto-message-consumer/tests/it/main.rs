//! `auto-message-consumer` on its own, over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod delivery;
mod failures;
mod scenario;
