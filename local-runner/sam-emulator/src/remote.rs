//! The commands that a running emulator executes instead of a new process. A second process would have
//! neither its sockets nor, with a store in a file, its data.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::client::{self, ClientResponse};
use crate::invoke::Invocation;
use crate::output::{BoxError, print};
use crate::queues::{self, QueueReport};
use crate::schedule::manual::{self, ManualRun};

/// Invokes a function through the Invoke API and prints the reply; `None` when no emulator runs at `address`.
///
/// # Errors
/// The Invoke API refuses the call, or the connection is lost.
pub(crate) async fn invoke(address: SocketAddr, call: &Invocation) -> Result<Option<ExitCode>, BoxError> {
    let path = format!("/2015-03-31/functions/{}/invocations", call.function);
    let headers: &[_] = if call.log_tail.is_some() { &[("x-amz-log-type", "Tail")] } else { &[] };
    let response = client::send_with(address, Method::POST, &path, headers, call.payload.clone()).await?;
    let response = match response {
        Some(response) if response.headers().contains_key("x-amzn-requestid") => response,
        _ => return Ok(None),
    };
    let text = format!("{}\n", String::from_utf8_lossy(response.body()));
    if !response.status().is_success() {
        return Err(format!("the runner at {address} answered {}: {text}", response.status()).into());
    }
    if let Some(log) = response.headers().get("x-amz-log-result") {
        // If standard error is closed, the reply is still printed.
        let _ = io::stderr().write_all(&STANDARD.decode(log.as_bytes())?);
    }
    let code = print(&text)?;
    let has_failed = response.headers().contains_key("x-amz-function-error");
    Ok(Some(if has_failed { ExitCode::FAILURE } else { code }))
}

/// Records a manual run in the schedule state of the emulator at `address`.
///
/// # Errors
/// The emulator has stopped, or it has another version and does not know the request. Its state does not
/// change.
pub(crate) async fn record(address: SocketAddr, run: &ManualRun) -> Result<(), BoxError> {
    let body = serde_json::to_vec(run)?;
    match client::send(address, Method::POST, manual::PATH, body.into()).await? {
        Some(response) if response.status().is_success() => Ok(()),
        Some(response) => {
            Err(format!("the runner at {address} did not record the run: {}", response.status()).into())
        }
        None => Err(format!("the runner at {address} stopped before it recorded the run").into()),
    }
}

/// Reads the queues through the emulator at `address`; `None` when none runs there.
///
/// # Errors
/// The emulator cannot reach its broker, or the connection is lost.
pub(crate) async fn queues(address: SocketAddr, replay_dead: bool) -> Result<Option<QueueReport>, BoxError> {
    let method = if replay_dead { Method::POST } else { Method::GET };
    match client::send(address, method, queues::PATH, Bytes::new()).await? {
        Some(response) if response.status().is_success() => Ok(serde_json::from_slice(response.body()).ok()),
        Some(response) if is_unavailable(&response) => {
            Err(format!("the runner at {address} cannot reach its broker; see its log").into())
        }
        _ => Ok(None),
    }
}

/// The 503 of `/_runner/queues`. A server that is not an emulator answers with another status.
fn is_unavailable(response: &ClientResponse) -> bool {
    response.status() == StatusCode::SERVICE_UNAVAILABLE
}
