//! Realtime: codecs, client and server events, attaching users to connections, and the fan-out to sockets.
//! A module uses only modules above it in this list.

pub mod ping;

pub mod settings;

pub mod codec;

pub mod client_event;

pub mod event;

pub mod ack;

pub mod delivery;

pub mod fanout;

pub mod announce;

pub mod attach;
