//! Rules of `shared` over an embedded store.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod attach;
mod deadline;
mod member_lookup;
mod random_input;
