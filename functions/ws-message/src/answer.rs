//! Answering on the socket: acks, errors, and the end of a connection.

use serde_json::Value;
use shared::connection::Connection;
use shared::error::Error;
use shared::lambda::websocket::SocketEvent;
use shared::ports::PushError;
use shared::realtime::ack::{accepted, refused, told};

use crate::{Ack, Id, Ports};

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
    tell(ports, &connection.id, &frame).await;
    Ok(())
}

/// Pushes a frame to the connection that spoke. One that has gone meanwhile gets no answer; `$disconnect`
/// or the heartbeat cleans up.
pub(crate) async fn tell(ports: Ports<'_>, id: &Id, frame: &str) {
    match ports.chat.fanout.push.send(id, frame).await {
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
