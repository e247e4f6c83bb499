//! Sockets: codecs, what clients and the server say, attaching people to connections, and the fan-out.

pub mod codec;

pub mod client_event;

pub mod event;

pub mod ack;

pub mod fanout;

pub mod attach;
