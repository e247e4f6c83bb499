//! Answers on the socket: acks and errors.

use serde_json::Value;
use shared::connection::CloseReason;
use shared::error::Error;
use shared::realtime::ack::{error_body, failure, success};
use shared::realtime::codec::AckId;
use shared::realtime::delivery::{Delivery, deliver};

use crate::Frame;

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
    match (deliver(frame.ports.chat.fanout.push, &connection.id, &text).await, ack) {
        // The client waits for this ack, so it must receive one: a short error instead of the data.
        (Delivery::TooLarge, Some(ack)) => {
            let shorter = ack.answer(&failure(&Error::PayloadTooLarge(TOO_LARGE)));
            push(frame, &shorter).await
        }
        (delivery, _) => settle(frame, delivery).await,
    }
}

/// Pushes a frame to the sender's own connection.
pub(crate) async fn push(frame: Frame<'_>, text: &str) -> Result<(), Error> {
    let delivery = deliver(frame.ports.chat.fanout.push, &frame.connection.id, text).await;
    settle(frame, delivery).await
}

/// Closes a socket that misses an answer. If it has gone, `$disconnect` or the heartbeat ends its record.
async fn settle(frame: Frame<'_>, delivery: Delivery) -> Result<(), Error> {
    match delivery {
        Delivery::Accepted | Delivery::Gone => Ok(()),
        Delivery::Missed(error) => {
            tracing::warn!(connection_id = %frame.connection.id, %error, "answer not pushed; the socket is closed");
            frame.close(CloseReason::MissedEvent).await
        }
        Delivery::TooLarge => {
            tracing::error!(connection_id = %frame.connection.id, "answer larger than a frame may be");
            Ok(())
        }
    }
}

fn log_cause(error: &Error) {
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(code = error.code(), cause = %cause, details = ?cause, "socket event failed");
    }
}
