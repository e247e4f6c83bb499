//! The part of the runner that its examples and tests use as well.

pub mod embedded_source;
