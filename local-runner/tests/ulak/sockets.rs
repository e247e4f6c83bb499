//! Sockets: the unmodified `socket.io-client`, raw frames of both dialects, heartbeats at given times, a crowd,
//! and whatever bytes a stranger may send.

mod echo;
mod engine_io;
mod fuzz;
mod heartbeat;
mod json;
mod node;
pub(crate) mod socket_client;
mod socket_io;
