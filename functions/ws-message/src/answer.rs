//! Answering on the socket: acks, errors, and the end of a connection.

use serde_json::Value;
use shared::connection::Connection;
use shared::error::Error;
use shared::lambda::websocket::SocketEvent;
use shared::ports::PushError;
use shared::realtime::ack::{accepted, refused, told};

use crate::{Ack, Id, Ports};

const TOO_LARGE: &str = "the answer does not fit into a frame; ask for it over HTTP";

/// Acknowledges an event. Without an ack id a success is silent and a failure is the event `error`.
pub(crate) async fn answer(
    ports: Ports<'_>,
    connection: &Connection,
    ack: Ack<'_>,
    result: Result<Value, Error>,
) -> Result<(), Error> {
    let frame = match (result, ack) {
        (Ok(data), Some(ack)) => ack.answer(&accepted(&data)),
        (Ok(_), None) => return Ok(()),
        (Err(error), ack) => {
            log(&error);
            match ack {
                Some(ack) => ack.answer(&refused(&error)),
                None => connection.dialect.event("error", &told(&error)),
            }
        }
    };
    match (ports.chat.fanout.push.send(&connection.id, &frame).await, ack) {
        // Whoever asked is told so: no other answer would ever come.
        (Err(PushError::TooLarge), Some(ack)) => {
            let shorter = ack.answer(&refused(&Error::PayloadTooLarge(TOO_LARGE)));
            tell(ports, &connection.id, &shorter).await;
        }
        (sent, _) => note(&connection.id, sent),
    }
    Ok(())
}

/// Pushes a frame to the connection that spoke. One that has gone meanwhile gets no answer; `$disconnect`
/// or the heartbeat cleans up.
pub(crate) async fn tell(ports: Ports<'_>, id: &Id, frame: &str) {
    note(id, ports.chat.fanout.push.send(id, frame).await);
}

fn note(id: &Id, sent: Result<(), PushError>) {
    match sent {
        Ok(()) | Err(PushError::Gone) => {}
        Err(error @ (PushError::TooLarge | PushError::Busy | PushError::Failed(_))) => {
            tracing::warn!(connection = %id, error = %error, "an answer did not arrive");
        }
    }
}

/// Closes and forgets the connection.
pub(crate) async fn close(ports: Ports<'_>, id: &Id, event: &SocketEvent) -> Result<(), Error> {
    let _ = ports.chat.fanout.push.close(id).await;
    Ok(ports.chat.fanout.end(id, event.now).await?)
}

fn log(error: &Error) {
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(code = error.code(), cause = %cause, details = ?cause, "an event failed");
    }
}
