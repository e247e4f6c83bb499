//! One open connection as others see it: a bounded queue of frames for it, and a way to end it. Posting is a
//! short lock and a wake-up; it never waits for the network.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures::task::AtomicWaker;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::end::End;
use super::event::Origin;

/// What a waiting frame costs beside its text, so that empty frames are not free.
const FRAME_COST: usize = 32;
/// A queue that grew beyond this many places gives them back when it is empty.
const KEPT_PLACES: usize = 16;

/// An open connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// Who it is.
    pub(super) origin: Origin,
    visible_from: Instant,
    /// Milliseconds since the epoch of the last data in either direction.
    last_active: AtomicI64,
    limit: usize,
    outbox: Mutex<Outbox>,
    task: AtomicWaker,
}

#[derive(Debug, Default)]
struct Outbox {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Set once: nothing is accepted any more, what waits is still sent.
    end: Option<End>,
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Ended,
    Full,
}

impl Peer {
    /// A connection that others see from `visible_from` and for which `limit` bytes may wait.
    pub(super) fn new(origin: Origin, visible_from: Instant, limit: usize) -> Self {
        let last_active = AtomicI64::new(origin.connected_at.as_millisecond());
        let (outbox, task) = (Mutex::default(), AtomicWaker::new());
        Self { origin, visible_from, last_active, limit, outbox, task }
    }

    pub(super) fn is_visible(&self) -> bool {
        self.visible_from <= Instant::now()
    }

    pub(super) fn last_active(&self) -> Timestamp {
        Timestamp::from_millisecond(self.last_active.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Notes that data passed.
    pub(super) fn touch(&self) {
        self.last_active.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    /// Queues one text frame.
    pub(super) fn push(&self, text: Utf8Bytes) -> Result<(), Refused> {
        let mut outbox = self.outbox();
        if outbox.end.is_some() {
            return Err(Refused::Ended);
        }
        let bytes = outbox.bytes + text.as_str().len() + FRAME_COST;
        // A single message always fits into an empty queue, however small the limit is.
        if bytes > self.limit && !outbox.frames.is_empty() {
            return Err(Refused::Full);
        }
        outbox.bytes = bytes;
        outbox.frames.push_back(text);
        drop(outbox);
        self.task.wake();
        Ok(())
    }

    /// The next frame to write.
    pub(super) fn pop(&self) -> Option<Utf8Bytes> {
        let mut outbox = self.outbox();
        let text = outbox.frames.pop_front()?;
        outbox.bytes -= text.as_str().len() + FRAME_COST;
        if outbox.frames.is_empty() && outbox.frames.capacity() > KEPT_PLACES {
            outbox.frames = VecDeque::new();
        }
        Some(text)
    }

    /// Ends the connection after what waits has been sent; false when it was ending already.
    pub(super) fn end(&self, end: End) -> bool {
        let mut outbox = self.outbox();
        let is_first = outbox.end.is_none();
        if is_first {
            outbox.end = Some(end);
        }
        drop(outbox);
        self.task.wake();
        is_first
    }

    /// The end, if one was asked for.
    pub(super) fn ending(&self) -> Option<End> {
        self.outbox().end.clone()
    }

    /// The end that was asked for, once nothing waits any more. One lock for both: a frame that was posted
    /// before the end must not be cut off.
    pub(super) fn ended(&self) -> Option<End> {
        let outbox = self.outbox();
        outbox.end.clone().filter(|_| outbox.frames.is_empty())
    }

    /// The connection is over: what waits is dropped, nothing more is taken.
    pub(super) fn over(&self, end: &End) {
        let mut outbox = self.outbox();
        let end = outbox.end.take().unwrap_or_else(|| end.clone());
        *outbox = Outbox { end: Some(end), ..Outbox::default() };
    }

    /// Has the connection's task woken by posts and by the end.
    pub(super) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        // No code that holds the lock can panic half-way through a change.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
