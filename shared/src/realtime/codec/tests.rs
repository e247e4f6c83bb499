//! Tests of the codecs: tables of frames and their results, round trips, limits, and a seeded fuzz test.

use std::fmt::Debug;

use super::ParseError;

mod bounds;
mod dialect;
mod engine_io;
mod fuzz;
mod json;
mod socket_io;
mod upgrade;

/// One line per frame: the frame, and the packet or error that it parses to.
fn table<'a, T: Debug>(frames: &[&'a str], parse: impl Fn(&'a str) -> Result<T, ParseError>) -> String {
    let line = |frame: &&'a str| match parse(frame) {
        Ok(parsed) => format!("{frame} -> {parsed:?}\n"),
        Err(error) => format!("{frame} -> Error: {error}\n"),
    };
    frames.iter().map(line).collect()
}
