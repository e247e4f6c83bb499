//! Collects messages until Lambda would invoke the function: by count, by size, or by the batching window.
//! The time of each message is an input.

use std::time::Duration;

use tokio::time::Instant;

use super::event;
use super::source::SourceMessage;
use crate::plan::QueuePlan;

/// Bytes of payload of a synchronous invocation (Lambda quotas: 6 MB).
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// When a batch is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLimits {
    /// `BatchSize`, in messages.
    pub records: usize,
    /// `MaximumBatchingWindowInSeconds`, counted from the first message.
    pub window: Duration,
    /// Bytes of the records and the commas between them: [`MAX_PAYLOAD`] without the rest of the event.
    pub bytes: usize,
}

impl BatchLimits {
    /// The limits of the mapping `plan`.
    #[must_use]
    pub fn of(plan: &QueuePlan) -> Self {
        let empty_event = event::build(plan, &[]).len();
        Self { records: plan.batch_size, window: plan.batching_window, bytes: MAX_PAYLOAD - empty_event }
    }
}

/// A message as the event contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// [`SourceMessage::id`].
    pub id: u64,
    /// The message's JSON in the event.
    pub json: String,
}

impl Record {
    /// Converts `message`.
    #[must_use]
    pub fn of(message: &SourceMessage) -> Self {
        Self { id: message.id, json: event::message_json(message) }
    }
}

/// The result of [`Batch::push`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PushOutcome {
    /// The record is in this batch or, if it did not fit, in the next.
    Accepted,
    /// The record alone is larger than a payload may be. Lambda drops such a message.
    TooLarge,
}

/// The batch in progress.
#[derive(Debug)]
pub struct Batch {
    limits: BatchLimits,
    records: Vec<Record>,
    bytes: usize,
    closes_at: Option<Instant>,
    /// The record that did not fit; it is the first of the next batch.
    overflow: Option<Record>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, records: Vec::new(), bytes: 0, closes_at: None, overflow: None }
    }

    /// Adds a record that was received at `now`. The first record starts the batching window.
    pub fn push(&mut self, record: Record, now: Instant) -> PushOutcome {
        if record.json.len() > self.limits.bytes {
            return PushOutcome::TooLarge;
        }
        // One more byte for the comma before every record except the first.
        let size = record.json.len() + usize::from(!self.records.is_empty());
        if self.bytes + size > self.limits.bytes {
            self.overflow = Some(record);
            return PushOutcome::Accepted;
        }
        self.closes_at.get_or_insert(now + self.limits.window);
        self.bytes += size;
        self.records.push(record);
        PushOutcome::Accepted
    }

    /// Whether the batch is complete by count or by size.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.records.len() >= self.limits.records || self.overflow.is_some()
    }

    /// The end of the batching window; `None` while the batch is empty.
    #[must_use]
    pub fn closes_at(&self) -> Option<Instant> {
        self.closes_at
    }

    /// The records of this batch, in queue order.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The ids of the records of this batch.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.records.iter().map(|record| record.id).collect()
    }

    /// Starts the next batch at `now`, with the record that did not fit into this one.
    pub fn start_next(&mut self, now: Instant) {
        self.records.clear();
        (self.bytes, self.closes_at) = (0, None);
        if let Some(record) = self.overflow.take() {
            // Cannot be too large: it was accepted before.
            let _ = self.push(record, now);
        }
    }

    /// Empties the batch. Returns the ids of all its records and of the one that did not fit.
    pub fn take_ids(&mut self) -> Vec<u64> {
        let ids = self.records.drain(..).chain(self.overflow.take()).map(|record| record.id).collect();
        (self.bytes, self.closes_at) = (0, None);
        ids
    }
}
