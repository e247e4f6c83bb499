//! When a connection is cut: idle, too old, or ending for too long.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::options::Options;
use super::peer::Peer;

/// One timer for all limits. It is not moved by every message: when it rings it looks whether it was too soon.
pub(super) struct Clock {
    sleep: Pin<Box<Sleep>>,
    idle: Duration,
    active: Instant,
    /// The end of the longest life.
    last: Instant,
    /// The end of an end.
    end: Option<Instant>,
}

impl Clock {
    pub(super) fn new(options: &Options) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(sleep_until(now + options.idle.min(options.life)));
        Self { sleep, idle: options.idle, active: now, last: now + options.life, end: None }
    }

    /// Data passed.
    pub(super) fn touch(&mut self, peer: &Peer) {
        self.active = Instant::now();
        peer.touch();
    }

    /// The connection ends: only `end` counts now. A second call changes nothing.
    pub(super) fn end_by(&mut self, end: Instant) {
        if self.end.is_none() {
            self.end = Some(end);
            self.sleep.as_mut().reset(end);
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.end.is_some()
    }

    /// Returns when a limit has passed. May be dropped and called again.
    pub(super) async fn strikes(&mut self) {
        loop {
            self.sleep.as_mut().await;
            let deadline = self.end.unwrap_or_else(|| self.last.min(self.active + self.idle));
            if deadline <= Instant::now() {
                return;
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}
