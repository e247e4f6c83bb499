//! What every Ulak function stands on. Read in this order:
//!
//! * the words and their rules: [`time`], [`id`], [`user`], [`session`], [`conversation`], [`message`],
//!   [`connection`], [`auto_message`], [`page`], [`search`], [`indexing`]
//! * [`error`] what can go wrong, and [`form`] how input is read once
//! * [`ports`] what the rules need from the outside; adapters implement them
//! * [`auth`] passwords, tokens and the gate that every request passes
//! * [`realtime`] codecs, events and the fan-out
//! * [`lambda`] the doors: HTTP, WebSocket, schedule and queue events in, replies out
//! * [`config`] and [`telemetry`], the only readers of the environment
//!
//! Not here: any driver, any AWS SDK, any clock.

pub mod time;

pub mod id;

pub mod user;

pub mod session;

pub mod conversation;

pub mod message;

pub mod connection;

pub mod auto_message;

pub mod page;

pub mod search;

pub mod indexing;

pub mod error;

pub mod form;

pub mod ports;

pub mod auth;

pub mod realtime;

pub mod lambda;

pub mod config;

pub mod telemetry;

#[cfg(feature = "contract")]
pub mod contract;
