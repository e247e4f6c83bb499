//! Rules of `shared` over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod attach;
mod member_lookup;
