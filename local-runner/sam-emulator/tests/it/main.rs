//! The integration tests of the emulator: one binary, one module per subject.

// clippy.toml allows unwrap in test functions only; helpers of tests need it too.
#![allow(clippy::unwrap_used)]

mod access;
mod apis;
mod asynchronous;
mod authorizers;
mod authorizers_jwt;
mod captured_log;
mod command_line;
mod damaged_input;
mod event_source_event;
mod event_source_poller;
mod event_source_rabbitmq;
mod http_api;
mod http_reply;
mod http_route;
mod invoke_api;
mod port_attack;
mod port_early_answers;
mod raw_client;
mod schedule_event;
mod schedule_grammar;
mod schedule_manual;
mod schedule_times;
mod schedule_trigger;
mod socket_server;
mod template_apis;
mod template_foreign;
mod template_plan;
mod test_server;
mod websocket;
mod websocket_close;
mod websocket_connect;
mod websocket_connections;
mod websocket_event;
mod websocket_protocol;
mod websocket_selection;
