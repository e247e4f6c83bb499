//! The entry points of a function: an event's JSON comes in, a reply's JSON goes out. The event comes from
//! the Lambda Runtime API or from the local runner; the code is the same.

pub mod async_event;
pub mod http;
pub mod queue;
pub mod schedule;
mod start;
mod status;
pub mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::value::RawValue;

use crate::time::Time;

pub use async_event::async_event;
pub use http::http;
pub use queue::queue;
pub use schedule::schedule;
pub use start::{Component, Components, Fatal, GateSettings, leak, serve};
pub use websocket::websocket;

/// The future of one invocation.
pub type Invoked = Pin<Box<dyn Future<Output = Result<Box<RawValue>, Diagnostic>> + Send>>;

/// A Lambda function: takes an event and its context, returns the reply.
pub type Entry = Arc<dyn Fn(LambdaEvent<Box<RawValue>>) -> Invoked + Send + Sync>;

/// Serves a function on the Lambda Runtime API until the process ends.
///
/// # Errors
/// When the runtime cannot start or loses its API.
pub async fn run(entry: Entry) -> Result<(), Fatal> {
    let serve = lambda_runtime::service_fn(move |event: LambdaEvent<Box<RawValue>>| entry(event));
    Ok(lambda_runtime::run(serve).await?)
}

/// Invokes a function once with an event's JSON, as Lambda does but without the Runtime API. `deadline_ms` is
/// when the platform will stop it, in milliseconds since the Unix epoch.
///
/// # Errors
/// What Lambda would report as a function error.
pub async fn invoke(
    entry: &Entry,
    request_id: String,
    deadline_ms: u64,
    event: &[u8],
) -> Result<String, Diagnostic> {
    let payload: Box<RawValue> = serde_json::from_slice(event).map_err(|e| invalid_event(&e))?;
    let mut context = Context::default();
    context.request_id = request_id;
    context.deadline = deadline_ms;
    let reply = entry(LambdaEvent::new(payload, context)).await?;
    Ok(String::from(Box::<str>::from(reply)))
}

/// The only clock of this crate. The entry points need it, because an `aws:rmq` event contains no time and a deadline
/// is an instant.
fn clock() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(since.as_millis().try_into().unwrap_or(i64::MAX))
}

/// The failure of an invocation whose event has another shape than the function expects.
fn invalid_event(cause: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic {
        error_type: "InvalidEvent".to_owned(),
        error_message: format!("the event has not the shape that this function expects: {cause}"),
    }
}

/// The time left until a deadline in milliseconds since the Unix epoch; 0 means no deadline.
fn budget(deadline_ms: u64) -> Option<std::time::Duration> {
    let now = u64::try_from(clock().millis()).unwrap_or(0);
    (deadline_ms > 0).then(|| std::time::Duration::from_millis(deadline_ms.saturating_sub(now)))
}

/// Runs a handler until shortly before the platform stops the invocation.
///
/// # Errors
/// The handler's; `Unavailable` when its time is used up.
async fn within_deadline<T>(
    deadline_ms: u64,
    handler: impl Future<Output = Result<T, crate::error::Error>>,
) -> Result<T, crate::error::Error> {
    match crate::deadline::within(budget(deadline_ms), handler).await {
        Ok(result) => result,
        Err(time_is_up) => Err(crate::error::StoreError::down("deadline", time_is_up).into()),
    }
}

/// Serialises a reply.
fn raw(reply: &impl serde::Serialize) -> Result<Box<RawValue>, Diagnostic> {
    serde_json::value::to_raw_value(reply)
        .map_err(|e| Diagnostic { error_type: "InvalidReply".to_owned(), error_message: e.to_string() })
}

/// The failure of an invocation that Lambda may retry. The cause is logged.
fn failed(error: &crate::error::Error, id: &str) -> Diagnostic {
    let cause = std::error::Error::source(error).map(|c| format!("{c}: {c:?}"));
    tracing::error!(target: crate::telemetry::REQUESTS, request_id = id, code = error.code(), cause, "invocation failed");
    Diagnostic { error_type: error.code().to_owned(), error_message: error.to_string() }
}
