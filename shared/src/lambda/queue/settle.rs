//! What becomes of a batch's jobs: done, or tried again with the whole batch, later, or never.

use super::Delivery;
use crate::error::Error;
use crate::ports::{Outbox, OutboxMessage};

/// After so many failures a job rests on its queue's `.dead`.
const MOST_ATTEMPTS: u32 = 5;

/// What became of a delivery.
pub type Outcome<'b> = (&'b Delivery, Result<(), Error>);

/// Settles a batch: a job that failed on its own waits or rests elsewhere and stops nobody. A store that is down
/// fails the batch, which comes again whole; so nothing is parked before it is clear that it does not: it
/// would come twice.
///
/// # Errors
/// `Unavailable`.
pub async fn settle(outbox: &dyn Outbox, outcomes: Vec<Outcome<'_>>) -> Result<(), Error> {
    let mut failures = Vec::new();
    for (delivery, result) in outcomes {
        match result {
            Ok(()) => {}
            Err(Error::Unavailable(down)) => return Err(Error::Unavailable(down)),
            Err(error) => failures.push((delivery, error)),
        }
    }
    for (delivery, error) in failures {
        park(outbox, delivery, &error).await?;
    }
    Ok(())
}

/// What can never succeed rests at once, anything else waits until it has failed too often.
async fn park(outbox: &dyn Outbox, delivery: &Delivery, error: &Error) -> Result<(), Error> {
    let attempt = delivery.attempt.saturating_add(1);
    let hopeless = matches!(error, Error::InvalidJson | Error::Invalid(_) | Error::NotFound(_));
    let message = OutboxMessage {
        id: delivery.message_id.clone().unwrap_or_default(),
        body: delivery.body.clone(),
        attempt,
    };
    let rests = hopeless || attempt >= MOST_ATTEMPTS;
    log(&message, error, rests);
    if rests {
        return Ok(outbox.bury(&delivery.queue, &message, &reason(error)).await?);
    }
    Ok(outbox.retry_later(&delivery.queue, &message).await?)
}

fn log(message: &OutboxMessage, error: &Error, rests: bool) {
    let OutboxMessage { id, attempt, .. } = message;
    let (code, cause) = (error.code(), std::error::Error::source(error));
    if rests {
        tracing::error!(id, attempt, code, cause, "a job was laid to rest: {}", reason(error));
    } else {
        tracing::warn!(id, attempt, code, cause, "a job failed and is tried again later");
    }
}

/// For the operator who looks at the dead: every wrong field with what is wrong with it.
fn reason(error: &Error) -> String {
    match error {
        Error::Invalid(fields) => fields
            .iter()
            .map(|wrong| format!("{} {}", wrong.field, wrong.message))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}
