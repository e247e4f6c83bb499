//! The time limits of one connection: idle, maximum lifetime, and the time to close.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::OpenConnection;
use super::options::WebSocketOptions;

/// One timer for all limits. A message does not move the timer: when it fires, [`Timeouts::expired`] computes
/// the next deadline and sleeps again if that is in the future.
pub(super) struct Timeouts {
    sleep: Pin<Box<Sleep>>,
    idle_timeout: Duration,
    last_active: Instant,
    lifetime_deadline: Instant,
    /// Deadline for the closing handshake; `None` until the connection is closing.
    close_deadline: Option<Instant>,
}

/// The limit that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    Idle,
    Lifetime,
    Close,
}

impl Timeouts {
    pub(super) fn new(options: &WebSocketOptions) -> Self {
        let now = Instant::now();
        Self {
            sleep: Box::pin(sleep_until(now + options.idle_timeout.min(options.max_lifetime))),
            idle_timeout: options.idle_timeout,
            last_active: now,
            lifetime_deadline: now + options.max_lifetime,
            close_deadline: None,
        }
    }

    /// Restarts the idle timeout: data passed in either direction.
    pub(super) fn touch(&mut self, connection: &OpenConnection) {
        self.last_active = Instant::now();
        connection.touch();
    }

    /// The connection is closing: from now on only `deadline` counts. A second call has no effect.
    pub(super) fn start_close(&mut self, deadline: Instant) {
        if self.close_deadline.is_none() {
            self.close_deadline = Some(deadline);
            self.sleep.as_mut().reset(deadline);
        }
    }

    /// Waits until a limit has passed. Cancel-safe.
    pub(super) async fn expired(&mut self) -> Expired {
        loop {
            self.sleep.as_mut().await;
            let (deadline, expired) = self.next_deadline();
            if deadline <= Instant::now() {
                return expired;
            }
            self.sleep.as_mut().reset(deadline);
        }
    }

    fn next_deadline(&self) -> (Instant, Expired) {
        let idle_deadline = self.last_active + self.idle_timeout;
        match self.close_deadline {
            Some(deadline) => (deadline, Expired::Close),
            None if self.lifetime_deadline < idle_deadline => (self.lifetime_deadline, Expired::Lifetime),
            None => (idle_deadline, Expired::Idle),
        }
    }
}
