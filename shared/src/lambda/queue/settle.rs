//! Settles a batch's jobs: done, retried with the whole batch, retried later, or dead-lettered.

use super::Delivery;
use crate::error::Error;
use crate::ports::{Outbox, OutboxMessage};
use crate::retry::MAX_ATTEMPTS;

/// A delivery and the result of its job.
pub type Outcome<'b> = (&'b Delivery, Result<(), Error>);

/// Settles a batch. A job that failed on its own is retried later or dead-lettered, and the others are done.
/// A store that is down fails the batch, and the broker redelivers it whole.
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
    // Park failed jobs only once the batch is known not to be redelivered; otherwise they would run twice.
    for (delivery, error) in failures {
        park(outbox, delivery, &error).await?;
    }
    Ok(())
}

/// Dead-letters a job that can never succeed or has failed too often; sends any other to be retried later.
async fn park(outbox: &dyn Outbox, delivery: &Delivery, error: &Error) -> Result<(), Error> {
    let attempt = delivery.attempt.saturating_add(1);
    let is_permanent = matches!(error, Error::InvalidJson | Error::Invalid(_) | Error::NotFound(_));
    let message = OutboxMessage {
        id: delivery.message_id.clone().unwrap_or_default(),
        body: delivery.body.clone(),
        attempt,
    };
    let is_dead = is_permanent || attempt >= MAX_ATTEMPTS;
    log(&message, error, is_dead);
    if is_dead {
        return Ok(outbox.dead_letter(&delivery.queue, &message, &reason(error)).await?);
    }
    Ok(outbox.retry_later(&delivery.queue, &message).await?)
}

fn log(message: &OutboxMessage, error: &Error, is_dead: bool) {
    let OutboxMessage { id, attempt, .. } = message;
    let (code, cause) = (error.code(), std::error::Error::source(error));
    if is_dead {
        tracing::error!(
            id,
            attempt,
            code,
            cause,
            reason = reason(error),
            "job moved to the dead-letter queue"
        );
    } else {
        tracing::warn!(id, attempt, code, cause, "job failed; it will be retried later");
    }
}

/// The reason that operators find with a dead-lettered job; for invalid fields, each of them.
fn reason(error: &Error) -> String {
    match error {
        Error::Invalid(fields) => fields
            .iter()
            .map(|invalid| format!("{} {}", invalid.field, invalid.message))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}
