//! The integration tests of the local runner: one binary, one module per subject.

// clippy.toml allows unwrap in test functions; helpers of tests are tests too.
#![allow(clippy::unwrap_used)]

mod asynchronous;
mod command_line;
mod event_source_event;
mod event_source_poller;
mod event_source_rabbitmq;
mod http_api;
mod http_reply;
mod http_route;
mod invoke_api;
mod schedule_by_hand;
mod schedule_clock;
mod schedule_event;
mod schedule_grammar;
mod schedule_times;
mod template_plan;
mod websocket;
mod websocket_connect;
mod websocket_connections;
mod websocket_event;
mod websocket_hostile;
mod websocket_raw;
mod websocket_selection;
mod websocket_world;
mod world;
