//! `auto-message-planner` on its own, at given times over an embedded store: who takes part, in what pairs, on
//! which day, and what a second run changes.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod concurrent_runs;
mod planning;

use adapter_embedded::Embedded;
use auto_message_planner::{Report, Settings};
use serde_json::Value;
use shared::config::Env;
use shared::error::Error;
use shared::lambda::schedule::{ScheduledRun, schedule};
use shared::lambda::{Entry, leak};
use shared::ports::AutoMessages;
use test_support::events::{invoke_event, schedule_event};

/// Settings from environment variables.
fn settings(variables: &[(&str, &str)]) -> Settings {
    let mut env = Env::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let settings = Settings::from_env(&mut env);
    env.finish().unwrap();
    settings
}

/// The planner's Lambda entry point over a store.
fn entry(store: &Embedded, variables: &[(&str, &str)]) -> Entry {
    let store: &'static Embedded = leak(store.clone());
    let settings: &'static Settings = leak(settings(variables));
    schedule(move |run| auto_message_planner::handle(store, store, settings, run))
}

/// Invokes the entry point with the event of its schedule. Returns the report.
async fn invoke(store: &Embedded, variables: &[(&str, &str)], time: &str) -> Value {
    invoke_event(&entry(store, variables), &schedule_event(time)).await.unwrap()
}

/// Runs the planner with default settings; `auto_messages` may be the same store with failures.
async fn run(store: &Embedded, auto_messages: &dyn AutoMessages, run: ScheduledRun) -> Result<Report, Error> {
    auto_message_planner::handle(store, auto_messages, &settings(&[]), run).await
}
