//! Gathers messages until Lambda would invoke: by count, by size, or by the window. Pure: the time of
//! each message is an input.

use std::time::Duration;

use tokio::time::Instant;

use super::event::{event, message};
use super::source::Delivery;
use crate::plan::QueuePlan;

/// The payload limit of a synchronous invoke, in bytes (Lambda quotas: 6 MB).
pub const MOST_BYTES: usize = 6 * 1024 * 1024;

/// When a batch closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `BatchSize`.
    pub records: usize,
    /// `MaximumBatchingWindowInSeconds`, counted from the first record.
    pub window: Duration,
    /// Bytes of the records and of the commas between them: the payload limit without the event's frame.
    pub bytes: usize,
}

impl Limits {
    /// The limits of a mapping.
    #[must_use]
    pub fn of(plan: &QueuePlan) -> Self {
        let frame = event(plan, &[]).len();
        Self { records: plan.batch_size, window: plan.batching_window, bytes: MOST_BYTES - frame }
    }
}

/// A message, written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The delivery's id.
    pub id: u64,
    /// Its JSON in the event.
    pub json: String,
}

impl Record {
    /// Writes `delivery` down.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        Self { id: delivery.id, json: message(delivery) }
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It is in this batch or, when the batch is full, in the next.
    Kept,
    /// Alone it is larger than a payload may be: Lambda drops it.
    TooLarge,
}

/// The batch being gathered.
#[derive(Debug)]
pub struct Batch {
    limits: Limits,
    records: Vec<Record>,
    bytes: usize,
    closes_at: Option<Instant>,
    /// The record that closed the batch by size; it opens the next one.
    carried: Option<Record>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, records: Vec::new(), bytes: 0, closes_at: None, carried: None }
    }

    /// Adds a record that came at `now`; the first one starts the window.
    pub fn push(&mut self, record: Record, now: Instant) -> Pushed {
        if record.json.len() > self.limits.bytes {
            return Pushed::TooLarge;
        }
        // One more byte for the comma before every record but the first.
        let size = record.json.len() + usize::from(!self.records.is_empty());
        if self.bytes + size > self.limits.bytes {
            self.carried = Some(record);
            return Pushed::Kept;
        }
        self.closes_at.get_or_insert(now + self.limits.window);
        self.bytes += size;
        self.records.push(record);
        Pushed::Kept
    }

    /// Whether count or size closed the batch.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.records.len() >= self.limits.records || self.carried.is_some()
    }

    /// When the window closes it; `None` while it is empty.
    #[must_use]
    pub fn closes_at(&self) -> Option<Instant> {
        self.closes_at
    }

    /// The records so far, in the order they came.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The ids of the records so far, without the carried one.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.records.iter().map(|record| record.id).collect()
    }

    /// Forgets the records, which are done with, and begins the next batch at `now` with what was carried.
    pub fn next(&mut self, now: Instant) {
        self.records.clear();
        (self.bytes, self.closes_at) = (0, None);
        if let Some(record) = self.carried.take() {
            // It fitted into an empty batch when it came, and this one is empty.
            let _ = self.push(record, now);
        }
    }

    /// Empties the batch and gives every id it held, the carried one too.
    pub fn abandon(&mut self) -> Vec<u64> {
        let ids = self.records.drain(..).chain(self.carried.take()).map(|record| record.id).collect();
        (self.bytes, self.closes_at) = (0, None);
        ids
    }
}
