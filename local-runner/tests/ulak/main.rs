//! System tests: the real binary on a free port, called over HTTP and WebSocket; functions that pass work to each
//! other; and the rules of the architecture.

// clippy.toml allows unwrap and printing in test functions, but not in their helpers.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod accounts;
mod architecture;
mod auth;
mod automatic;
mod browser;
mod command_line;
mod content;
mod conversations;
mod crash;
mod data_files;
mod documents;
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
