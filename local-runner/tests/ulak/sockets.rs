//! Sockets: the unmodified `socket.io-client`, raw frames of both dialects, random frames, heartbeats at given times,
//! and a thousand connections.

mod echo;
mod engine_io;
mod fuzz;
mod heartbeat;
mod json;
mod node;
pub(crate) mod socket_client;
mod socket_io;
mod storms;
