//! One open connection as other tasks see it: a bounded queue of frames to send, and a way to close it.
//! Posting takes a short lock and wakes the connection's task; it never waits for the network.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures::task::AtomicWaker;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close_reason::CloseReason;
use super::event::ConnectionMeta;

/// Bytes that a queued frame counts beside its text, so that empty frames count too.
const FRAME_OVERHEAD: usize = 32;
/// An empty queue with more capacity than this many frames frees its memory.
const KEPT_CAPACITY: usize = 16;

/// An open connection.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) meta: ConnectionMeta,
    visible_from: Instant,
    /// Time of the last data in either direction, in Unix epoch milliseconds.
    last_active: AtomicI64,
    max_queued_bytes: usize,
    total: Arc<TotalQueued>,
    send_queue: Mutex<SendQueue>,
    /// Wakes the connection's task.
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct SendQueue {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Set when the connection is closing: it accepts no further frames and still sends the queued ones.
    close: Option<CloseReason>,
}

/// The bytes that wait to be sent to all clients together.
#[derive(Debug)]
pub(super) struct TotalQueued {
    bytes: AtomicUsize,
    limit: usize,
}

impl TotalQueued {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), limit }
    }

    /// The most bytes that may wait for one client now: a quarter of what is free. Slow clients get less the more of
    /// them there are, and never all of it.
    fn share(&self) -> usize {
        self.limit.saturating_sub(self.bytes.load(Ordering::Relaxed)) / 4
    }
}

/// Why a frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendQueueError {
    Closing,
    Full,
}

impl OpenConnection {
    /// A connection that [`OpenConnection::is_visible`] hides until `visible_from` and that queues at most
    /// `max_queued_bytes`, and less when `total` has little room.
    pub(super) fn new(
        meta: ConnectionMeta,
        visible_from: Instant,
        max_queued_bytes: usize,
        total: Arc<TotalQueued>,
    ) -> Self {
        let last_active = AtomicI64::new(meta.connected_at.as_millisecond());
        let (send_queue, waker) = (Mutex::default(), AtomicWaker::new());
        Self { meta, visible_from, last_active, max_queued_bytes, total, send_queue, waker }
    }

    /// False until the visibility delay has passed: `@connections` answers 410.
    pub(super) fn is_visible(&self) -> bool {
        self.visible_from <= Instant::now()
    }

    pub(super) fn last_active(&self) -> Timestamp {
        Timestamp::from_millisecond(self.last_active.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Sets the time of the last data to now.
    pub(super) fn touch(&self) {
        self.last_active.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    /// Queues one text frame. An empty queue accepts a frame of any size.
    pub(super) fn push(&self, text: Utf8Bytes) -> Result<(), SendQueueError> {
        let mut queue = self.send_queue();
        if queue.close.is_some() {
            return Err(SendQueueError::Closing);
        }
        let added = text.as_str().len() + FRAME_OVERHEAD;
        let most = self.max_queued_bytes.min(self.total.share());
        if queue.bytes + added > most && !queue.frames.is_empty() {
            return Err(SendQueueError::Full);
        }
        queue.bytes += added;
        self.total.bytes.fetch_add(added, Ordering::Relaxed);
        queue.frames.push_back(text);
        drop(queue);
        self.waker.wake();
        Ok(())
    }

    /// Takes the next frame to write.
    pub(super) fn pop(&self) -> Option<Utf8Bytes> {
        let mut queue = self.send_queue();
        let text = queue.frames.pop_front()?;
        let taken = text.as_str().len() + FRAME_OVERHEAD;
        queue.bytes -= taken;
        self.total.bytes.fetch_sub(taken, Ordering::Relaxed);
        if queue.frames.is_empty() && queue.frames.capacity() > KEPT_CAPACITY {
            queue.frames = VecDeque::new();
        }
        Some(text)
    }

    /// Closes the connection once the queued frames are sent. Returns false if it was closing already.
    pub(super) fn close(&self, reason: CloseReason) -> bool {
        let mut queue = self.send_queue();
        let is_first = queue.close.is_none();
        if is_first {
            queue.close = Some(reason);
        }
        drop(queue);
        self.waker.wake();
        is_first
    }

    /// The reason of the close in progress, if there is one.
    pub(super) fn closing(&self) -> Option<CloseReason> {
        self.send_queue().close.clone()
    }

    /// The reason of the close in progress, once the queue is empty. One lock covers both, so that no frame
    /// posted before the close is lost.
    pub(super) fn ready_to_close(&self) -> Option<CloseReason> {
        let queue = self.send_queue();
        queue.close.clone().filter(|_| queue.frames.is_empty())
    }

    /// The connection is closed: drops the queued frames and accepts no further ones.
    pub(super) fn mark_closed(&self, reason: &CloseReason) {
        let mut queue = self.send_queue();
        let close = queue.close.take().unwrap_or_else(|| reason.clone());
        self.total.bytes.fetch_sub(queue.bytes, Ordering::Relaxed);
        *queue = SendQueue { close: Some(close), ..SendQueue::default() };
    }

    /// Sets the waker that [`OpenConnection::push`] and [`OpenConnection::close`] wake.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn send_queue(&self) -> MutexGuard<'_, SendQueue> {
        // A poisoned lock is usable: no code panics while it holds the lock.
        self.send_queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    /// Frames may have been queued between the close and the end of the last handle.
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.send_queue().bytes);
        self.total.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
