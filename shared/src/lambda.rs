//! The doors of a function: an event's JSON comes in, a reply's JSON goes out. On Lambda the Runtime API
//! brings the event, locally the runner does; from here on nothing tells them apart.

pub mod http;
pub mod queue;
pub mod schedule;
mod start;
pub mod task;
pub mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::value::RawValue;

use crate::time::Time;

pub use start::{Fatal, GateSettings, keep, start};

/// What is said when a function is started outside Lambda.
pub const MISSING_RUNTIME: &str = "this program is one Lambda function; start it with `cargo lambda watch`, or all of them with \
     `cargo run -p local-runner`";

/// The future of one invocation.
pub type Invoked = Pin<Box<dyn Future<Output = Result<Box<RawValue>, Diagnostic>> + Send>>;

/// A function behind its door.
pub type Entry = Arc<dyn Fn(LambdaEvent<Box<RawValue>>) -> Invoked + Send + Sync>;

/// Serves a function on the Lambda Runtime API until the process ends.
///
/// # Errors
/// When the runtime cannot start or loses its API.
pub async fn run(entry: Entry) -> Result<(), Fatal> {
    let serve = lambda_runtime::service_fn(move |event: LambdaEvent<Box<RawValue>>| entry(event));
    Ok(lambda_runtime::run(serve).await?)
}

/// Invokes a function once with an event's JSON: the same way that Lambda takes, without its API.
/// `deadline_ms` is when the platform will stop it, in milliseconds since the Unix epoch.
///
/// # Errors
/// What Lambda would report as a function error.
pub async fn invoke(
    entry: &Entry,
    request_id: String,
    deadline_ms: u64,
    event: &[u8],
) -> Result<String, Diagnostic> {
    let payload: Box<RawValue> = serde_json::from_slice(event).map_err(|e| broken_event(&e))?;
    let mut context = Context::default();
    context.request_id = request_id;
    context.deadline = deadline_ms;
    let reply = entry(LambdaEvent::new(payload, context)).await?;
    Ok(String::from(Box::<str>::from(reply)))
}

/// The one clock of this crate, read at the doors alone: an `aws:rmq` event says nothing about time, and a
/// deadline is an instant.
fn clock() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(since.as_millis().try_into().unwrap_or(i64::MAX))
}

/// The failure of an invocation whose event is not what the function is for.
fn broken_event(cause: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic {
        error_type: "InvalidEvent".to_owned(),
        error_message: format!("not this function's event: {cause}"),
    }
}

/// A reply as the bytes that go back.
fn raw(reply: &impl serde::Serialize) -> Result<Box<RawValue>, Diagnostic> {
    serde_json::value::to_raw_value(reply)
        .map_err(|e| Diagnostic { error_type: "InvalidReply".to_owned(), error_message: e.to_string() })
}

/// The failure of an invocation that may succeed when it is repeated. The cause goes to the log.
fn failed(error: &crate::error::Error, id: &str) -> Diagnostic {
    let cause = std::error::Error::source(error).map(|c| format!("{c}: {c:?}"));
    tracing::error!(target: crate::telemetry::REQUESTS, request_id = id, code = error.code(), cause);
    Diagnostic { error_type: error.code().to_owned(), error_message: error.to_string() }
}
