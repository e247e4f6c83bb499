//! The commands that a runner which is up answers in place of a new one: a second process would meet neither
//! its sockets nor, where the store is a file, its data.

use std::net::SocketAddr;
use std::process::ExitCode;

use bytes::Bytes;
use http::Method;

use crate::client::{Answer, ask};
use crate::invoke::Invocation;
use crate::output::{BoxError, say};
use crate::queues::{self, Report};
use crate::schedule::{Fired, by_hand};

/// Invokes through the runner's Invoke API; `None` when no runner is up there.
///
/// # Errors
/// The function is unknown to it, or the answer broke off.
pub(crate) async fn invoke(address: SocketAddr, call: &Invocation) -> Result<Option<ExitCode>, BoxError> {
    let path = format!("/2015-03-31/functions/{}/invocations", call.function);
    let answer = match ask(address, Method::POST, &path, call.payload.clone()).await? {
        Some(answer) if answer.headers().contains_key("x-amzn-requestid") => answer,
        _ => return Ok(None),
    };
    let text = format!("{}\n", String::from_utf8_lossy(answer.body()));
    if !answer.status().is_success() {
        return Err(format!("the runner at {address} answers {}: {text}", answer.status()).into());
    }
    let code = say(&text)?;
    Ok(Some(if answer.headers().contains_key("x-amz-function-error") { ExitCode::FAILURE } else { code }))
}

/// Tells the runner what was fired by hand.
///
/// # Errors
/// It is gone, or no runner of this version: then its memory of the schedules stays as it is.
pub(crate) async fn fired(address: SocketAddr, fired: &Fired) -> Result<(), BoxError> {
    let body = serde_json::to_vec(fired)?;
    match ask(address, Method::POST, by_hand::PATH, body.into()).await? {
        Some(answer) if answer.status().is_success() => Ok(()),
        Some(answer) => {
            Err(format!("the runner at {address} does not note the run: {}", answer.status()).into())
        }
        None => Err(format!("the runner at {address} has gone").into()),
    }
}

/// Asks the runner for its queues; `None` when no runner is up there.
///
/// # Errors
/// Its broker is away, or the answer broke off.
pub(crate) async fn queues(address: SocketAddr, replay_dead: bool) -> Result<Option<Report>, BoxError> {
    let method = if replay_dead { Method::POST } else { Method::GET };
    match ask(address, method, queues::PATH, Bytes::new()).await? {
        Some(answer) if answer.status().is_success() => Ok(serde_json::from_slice(answer.body()).ok()),
        Some(answer) if is_ours(&answer) => {
            Err(format!("the runner at {address} cannot read its queues now").into())
        }
        _ => Ok(None),
    }
}

/// A 503 of `/_runner/queues`; whatever else listens there says something else.
fn is_ours(answer: &Answer) -> bool {
    answer.status() == http::StatusCode::SERVICE_UNAVAILABLE
}
