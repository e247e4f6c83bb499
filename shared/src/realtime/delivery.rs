//! Delivering one frame to one socket: tries again while the gateway throttles, and says what the outcome means for
//! the connection.

use std::time::Duration;

use crate::id::ConnectionId;
use crate::ports::{Push, PushError};

/// Pauses between attempts after 429, which the gateway answers when the account pushes too fast and when the client
/// reads too slowly. Together under a second, because a sender waits for it.
const PAUSES_MS: [u64; 4] = [50, 100, 200, 400];

/// What became of a frame.
#[derive(Debug)]
pub enum Delivery {
    /// The gateway accepted it.
    Accepted,
    /// The connection is gone.
    Gone,
    /// The client misses this frame, or may miss it. Nothing may be sent after it; the socket is to be closed.
    Missed(PushError),
    /// No frame of this size can ever be delivered.
    TooLarge,
}

/// Pushes a frame, and tries again while the gateway answers 429.
pub async fn deliver(push: &dyn Push, id: &ConnectionId, frame: &str) -> Delivery {
    for pause in PAUSES_MS {
        match push.send(id, frame).await {
            Err(PushError::Busy) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answer => return outcome(answer),
        }
    }
    outcome(push.send(id, frame).await)
}

fn outcome(answer: Result<(), PushError>) -> Delivery {
    match answer {
        Ok(()) => Delivery::Accepted,
        Err(PushError::Gone) => Delivery::Gone,
        Err(PushError::TooLarge) => Delivery::TooLarge,
        Err(error @ (PushError::Busy | PushError::Failed(_))) => Delivery::Missed(error),
    }
}
