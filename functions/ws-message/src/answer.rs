//! Answers on the socket: acks and errors.

use serde_json::Value;
use shared::error::Error;
use shared::id::ConnectionId;
use shared::ports::PushError;
use shared::realtime::ack::{error_body, failure, success};
use shared::realtime::codec::AckId;

use crate::{Frame, Ports};

const TOO_LARGE: &str = "the answer is larger than 128 KB, the limit of a frame; request it over HTTP";

/// Answers an event. Without an ack id a success is silent and a failure is the event `error`.
pub(crate) async fn answer(
    frame: Frame<'_>,
    ack: Option<&AckId>,
    result: Result<Value, Error>,
) -> Result<(), Error> {
    let connection = frame.connection;
    let text = match (result, ack) {
        (Ok(data), Some(ack)) => ack.answer(&success(&data)),
        (Ok(_), None) => return Ok(()),
        (Err(error), ack) => {
            log_cause(&error);
            match ack {
                Some(ack) => ack.answer(&failure(&error)),
                None => connection.dialect.event("error", &error_body(&error)),
            }
        }
    };
    match (frame.ports.chat.fanout.push.send(&connection.id, &text).await, ack) {
        // The client waits for this ack, so it must receive one: a short error instead of the data.
        (Err(PushError::TooLarge), Some(ack)) => {
            let shorter = ack.answer(&failure(&Error::PayloadTooLarge(TOO_LARGE)));
            push(frame.ports, &connection.id, &shorter).await;
        }
        (sent, _) => log_failed_push(&connection.id, sent),
    }
    Ok(())
}

/// Pushes a frame to the sender's own connection. If it has gone in the meantime, `$disconnect` or the
/// heartbeat ends its record.
pub(crate) async fn push(ports: Ports<'_>, id: &ConnectionId, frame: &str) {
    log_failed_push(id, ports.chat.fanout.push.send(id, frame).await);
}

fn log_failed_push(id: &ConnectionId, sent: Result<(), PushError>) {
    match sent {
        Ok(()) | Err(PushError::Gone) => {}
        Err(error @ (PushError::TooLarge | PushError::Busy | PushError::Failed(_))) => {
            tracing::warn!(connection_id = %id, %error, "answer not pushed");
        }
    }
}

fn log_cause(error: &Error) {
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(code = error.code(), cause = %cause, details = ?cause, "socket event failed");
    }
}
