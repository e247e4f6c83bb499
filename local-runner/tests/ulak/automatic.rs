//! Automatic messages: queuers and consumer together, the commands for operators, and the whole chain with killed
//! processes and cut connections.
//!
//! The last ones are shortened; `ULAK_TORTURE=full` runs them in full length.

mod broker;
mod commands;
mod concurrent_queuers;
mod embedded_source;
mod end_to_end;
mod missed_runs;
mod redelivery;
mod socket_listener;
mod torture;
