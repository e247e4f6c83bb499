//! A gateway whose pushes take time and are throttled, and a Lambda that runs what was started.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use shared::id::ConnectionId;
use shared::lambda::Entry;
use shared::ports::{Functions, Push, PushError, StoreResult};
use tokio::time::Instant;

/// A push takes `latency`, and every `throttled`th is refused with 429.
pub(crate) struct SlowGateway {
    latency: Duration,
    throttled: usize,
    pushes: AtomicUsize,
    closed: AtomicUsize,
    received: Mutex<Vec<String>>,
}

impl SlowGateway {
    pub(crate) fn new(latency: Duration, throttled: usize) -> Self {
        let (pushes, closed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { latency, throttled, pushes, closed, received: Mutex::default() }
    }

    /// The connection of each accepted frame.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Push for SlowGateway {
    async fn send(&self, id: &ConnectionId, _frame: &str) -> Result<(), PushError> {
        tokio::time::sleep(self.latency).await;
        let count = 1 + self.pushes.fetch_add(1, Ordering::Relaxed);
        if self.throttled > 0 && count.is_multiple_of(self.throttled) {
            return Err(PushError::Busy);
        }
        self.received.lock().unwrap().push(id.to_string());
        Ok(())
    }

    async fn close(&self, _id: &ConnectionId) -> Result<(), PushError> {
        self.closed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Queues events, and runs them at the same time under a timeout.
pub(crate) struct Lambda {
    timeout: Duration,
    queued: Mutex<VecDeque<(String, Value)>>,
    invocations: AtomicUsize,
}

impl Lambda {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, queued: Mutex::default(), invocations: AtomicUsize::new(0) }
    }

    pub(crate) fn invocations(&self) -> usize {
        self.invocations.load(Ordering::Relaxed)
    }

    /// Runs what is queued and what that starts. Returns the longest life of an invocation.
    ///
    /// # Panics
    /// If an invocation fails or does not end in time, or another function was started.
    pub(crate) async fn run_all(&self, function: &str, entry: &Entry) -> Duration {
        let (mut running, mut longest) = (FuturesUnordered::new(), Duration::ZERO);
        loop {
            while let Some((name, event)) = self.queued.lock().unwrap().pop_front() {
                assert_eq!(name, function);
                running.push(self.run(entry, event));
            }
            // New events are picked up while others run.
            let tick = tokio::time::sleep(Duration::from_millis(1));
            tokio::select! {
                Some(lived) = running.next() => longest = longest.max(lived),
                () = tick => {}
            }
            if running.is_empty() && self.queued.lock().unwrap().is_empty() {
                return longest;
            }
        }
    }

    async fn run(&self, entry: &Entry, event: Value) -> Duration {
        self.invocations.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let deadline_ms = u64::try_from((since + self.timeout).as_millis()).unwrap();
        let event = event.to_string();
        let invoked = shared::lambda::invoke(entry, "a-request".to_owned(), deadline_ms, event.as_bytes());
        let reply = tokio::time::timeout(self.timeout, invoked).await;
        reply.expect("the invocation was stopped").unwrap_or_else(|error| panic!("{error:?}"));
        start.elapsed()
    }
}

#[async_trait]
impl Functions for Lambda {
    async fn start(&self, function: &str, event: &Value) -> StoreResult<()> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.queued.lock().unwrap().push_back((function.to_owned(), event.clone()));
        Ok(())
    }
}
