//! An emulator of the AWS services that run a SAM template: API Gateway, Lambda, EventBridge schedules and
//! the RabbitMQ event source. It reads a template into a [`plan::Plan`] and runs an application's functions
//! in this process. It knows AWS and no application.
//!
//! Comments name the page of AWS's documentation that a rule comes from: "API Gateway guide" is the developer
//! guide below `docs.aws.amazon.com/apigateway`, and likewise for Lambda and EventBridge.
//!
//! In the order of reading: `plan` (what runs), `template` (where the plan comes from), `invoke` (how a
//! function is called), `endpoint` and `server` (the port), then the triggers `http_api`, `invoke_api`,
//! `websocket`, `schedule` and `event_source`. `runner` puts them together, and a program's `main` calls
//! `run`.
#![warn(missing_docs)]

pub mod plan;
pub mod template;

pub mod invoke;

pub mod endpoint;
pub mod server;

pub mod process;

pub mod event_source;
pub mod http_api;
pub mod invoke_api;
pub mod schedule;
pub mod websocket;

pub mod admin_task;
pub mod backup;
pub mod cli;
pub mod overview;
pub mod queues;
pub mod run;
pub mod runner;
pub mod settings;

pub mod env_file;

mod access;
mod address;
mod apis;
mod authorizer;
mod body;
mod browser;
mod client;
mod event_file;
mod gateway;
mod header_case;
mod log_limit;
mod mode;
mod output;
mod platform;
mod remote;
mod sam_config;
mod signals;
mod startup;
mod table;

pub use access::{Access, AllowedHost};
pub use cli::Cli;
pub use output::BoxError;
pub use platform::Platform;
pub use run::run;
pub use runner::{App, Runner};
