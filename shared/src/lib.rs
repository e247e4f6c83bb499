//! The code that all functions share. Read in this order:
//!
//! * [`config`] and [`telemetry`]: the only readers of the environment
//! * [`time`], [`deadline`], [`id`], [`error`], [`unicode`], [`form`], [`page`]: the smallest data types, and how input is validated
//! * [`user`], [`session`], [`message`], [`conversation`], [`connection`], [`auto_message`], [`search`],
//!   [`retry`], [`reply_data`]: the data of the system and its pure rules
//! * [`ports`]: traits for what the rules need from outside; adapters implement them
//! * [`auth`]: passwords, tokens, sessions, and the gate that every request passes
//! * [`realtime`]: codecs, events and the fan-out to sockets
//! * [`chat`] and [`indexing`]: the rules that more than one function needs
//! * [`lambda`]: the entry points; HTTP, WebSocket, schedule and queue events in, replies out
//!
//! With the feature `schema`, which no function enables, the types that clients see describe themselves as JSON Schema.
//!
//! A module uses only modules above it in this list. There is no driver here, no AWS SDK and no clock.

pub mod config;
pub mod telemetry;

pub mod deadline;
pub mod error;
pub mod form;
pub mod id;
pub mod page;
pub mod time;
pub mod unicode;

pub mod auto_message;
pub mod connection;
pub mod conversation;
pub mod message;
pub mod reply_data;
pub mod retry;
pub mod search;
pub mod session;
pub mod user;

pub mod ports;

pub mod auth;

pub mod realtime;

pub mod chat;
pub mod indexing;

pub mod lambda;
