//! Sockets: the unmodified `socket.io-client`, raw frames of both dialects, heartbeats at given times, a crowd,
//! and whatever bytes a stranger may send.

mod crowd;
mod echo;
mod engine_io;
mod frames;
mod fuzz;
mod heartbeat;
mod json;
pub(crate) mod line;
mod node;
mod races;
mod socket_io;
