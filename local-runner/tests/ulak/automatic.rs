//! Automatic messages: queuers and consumer together; the commands against a runner that is up; and the whole chain
//! under kill -9 and with a broker whose connections are cut.
//!
//! `ULAK_TORTURE=full` makes the last ones as large as they are meant to be; otherwise they are shorter.

mod broker;
mod commands;
mod concurrent_queuers;
mod embedded_source;
mod end_to_end;
mod missed_runs;
mod redelivery;
mod socket_listener;
mod torture;
