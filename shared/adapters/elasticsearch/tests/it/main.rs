//! Tests of the adapter on a scripted server, and on a real one when `ELASTICSEARCH_URL` is set.

#![allow(clippy::unwrap_used, reason = "test helpers panic on failure, as tests do")]

mod contract;
mod faults;
mod indexing;
mod requests;
mod test_index;
