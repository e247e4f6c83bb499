//! `chat-page` on its own: the page, its files, and what browsers are allowed to do with them.

// clippy.toml allows unwrap in test functions; helpers of tests are tests too.
#![allow(clippy::unwrap_used)]

mod javascript;
mod page;
