//! Sockets: the unmodified `socket.io-client`, raw frames of both dialects, heartbeats at given times, a crowd,
//! and whatever bytes a stranger may send.

mod echo;
mod engine_io;
mod fuzz;
mod heartbeat;
mod json;
pub(crate) mod line;
mod node;
mod socket_io;
mod storms;
