//! The tests of process mode: one binary, one module per subject.

// clippy.toml allows unwrap in test functions only; helpers of tests need it too.
#![allow(clippy::unwrap_used)]

mod bench;
mod emulator;
mod faults;
mod instances;
mod languages;
mod programs;
mod project;
mod runtime_api;
mod watch;
