//! Ulak as its users meet it: the real binary on a port of its own, spoken to over HTTP; functions
//! that hand work to each other; and the rules of the architecture.

// clippy.toml allows unwrap and printing in test functions; helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod accounts;
mod architecture;
mod auth;
mod automatic;
mod command_line;
mod content;
mod conversations;
mod crash;
mod envelope;
mod faults;
mod hostile;
mod indexing;
mod limits;
mod messages;
mod paging;
mod process_mode;
mod profile;
mod races;
mod refusals;
mod search;
mod security_log;
mod server;
mod sessions;
mod sockets;
mod tasks;
mod users;
