//! The local runner as a library: reads a SAM template into a [`plan::Plan`] and emulates the platform.
//! It knows AWS and knows no chat.
//!
//! Read in this order: `plan` (what runs), `template` (where it comes from), `invoke` (how a function is
//! called), `mount` and `server` (the port), then the triggers: `http_api`, `invoke_api`, `schedule`,
//! `event_source`.
//! `runner` puts them together, `run` is what a binary calls.

pub mod plan;
pub mod template;

pub mod invoke;

pub mod mount;
pub mod one_off;
pub mod server;

pub mod event_source;
pub mod http_api;
pub mod invoke_api;
pub mod schedule;
pub mod websocket;

pub mod cli;
pub mod overview;
pub mod queues;
pub mod run;
pub mod runner;
pub mod settings;

pub mod env_file;
mod ids;

mod body;
mod client;
mod output;
mod remote;
mod signals;
mod table;

pub use cli::Cli;
pub use output::BoxError;
pub use run::{Platform, run};
pub use runner::{App, Runner};
