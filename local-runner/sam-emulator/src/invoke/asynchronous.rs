//! The queue of asynchronous invocations (`InvocationType: Event`): an event is accepted at once, delivered
//! soon, and retried as Lambda does (Lambda guide, `invocation-async`). The queue is in memory: killing the
//! process loses what is queued.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Invocation, InvokeError, Invoker};
use crate::plan::Plan;

/// Events that run at the same time: Lambda's default concurrency of one account.
const MAX_CONCURRENCY: usize = 1000;
/// The longest delay before a retry during shutdown.
const MAX_SHUTDOWN_DELAY: Duration = Duration::from_millis(100);

/// Accepts events. Cheap to clone; it can be used before the functions exist.
#[derive(Debug, Clone)]
pub struct AsyncInvoker {
    sender: mpsc::UnboundedSender<AcceptedEvent>,
}

/// Resolves when the function has succeeded; an error means that the event was dropped.
pub type DeliveryReceipt = oneshot::Receiver<()>;

#[derive(Debug)]
struct AcceptedEvent {
    call: Invocation,
    /// Completes the event's [`DeliveryReceipt`].
    succeeded: oneshot::Sender<()>,
}

impl AsyncInvoker {
    /// Queues an event, for which the Invoke API answers 202. Returns at once. After shutdown the event is
    /// dropped with a log line.
    pub fn enqueue(&self, call: Invocation) {
        drop(self.deliver(call));
    }

    /// Queues an event like [`AsyncInvoker::enqueue`], and returns the receipt of its delivery.
    pub fn deliver(&self, call: Invocation) -> DeliveryReceipt {
        let (succeeded, receipt) = oneshot::channel();
        if let Err(mpsc::error::SendError(AcceptedEvent { call, .. })) =
            self.sender.send(AcceptedEvent { call, succeeded })
        {
            let (function, request_id) = (&call.function, &call.request_id);
            tracing::warn!(function, request_id, "event dropped: the emulator is shutting down");
        }
        receipt
    }
}

/// Delays between the attempts of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryDelays {
    /// After the first and the second function error.
    pub after_errors: [Duration; 2],
    /// After the first throttled attempt; it doubles with every further one.
    pub after_throttle: Duration,
    /// The longest delay after a throttled attempt.
    pub max_after_throttle: Duration,
}

impl Default for RetryDelays {
    /// Lambda's: one and two minutes after errors, 1 s to 5 min after throttling.
    fn default() -> Self {
        Self {
            after_errors: [Duration::from_secs(60), Duration::from_secs(120)],
            after_throttle: Duration::from_secs(1),
            max_after_throttle: Duration::from_secs(300),
        }
    }
}

/// `EventInvokeConfig` of one function.
#[derive(Debug, Clone, Copy)]
struct EventLimits {
    retries: u32,
    max_age: Duration,
}

/// Delivers the events that an [`AsyncInvoker`] accepts.
#[derive(Debug)]
pub struct AsyncWorker {
    receiver: mpsc::UnboundedReceiver<AcceptedEvent>,
    limits: HashMap<String, EventLimits>,
    delays: RetryDelays,
}

/// Makes the queue for the functions of `plan`: its two ends.
#[must_use]
pub fn queue(plan: &Plan, delays: RetryDelays) -> (AsyncInvoker, AsyncWorker) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let limits = plan.functions.values().map(|function| {
        let limits = EventLimits { retries: function.async_retries, max_age: function.async_max_age };
        (function.name.clone(), limits)
    });
    (AsyncInvoker { sender }, AsyncWorker { receiver, limits: limits.collect(), delays })
}

impl AsyncWorker {
    /// Delivers events until `stop` is cancelled. Then it delivers what is queued, shortens the delays of
    /// retries, and returns when no event is left.
    pub async fn run(mut self, invoker: Arc<dyn Invoker>, stop: CancellationToken) {
        let running = TaskTracker::new();
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENCY));
        while let Some(Some(event)) = stop.run_until_cancelled(self.receiver.recv()).await {
            running.spawn(self.attempts(event, &invoker, &permits, &stop).run());
        }
        self.receiver.close();
        while let Some(event) = self.receiver.recv().await {
            running.spawn(self.attempts(event, &invoker, &permits, &stop).run());
        }
        running.close();
        running.wait().await;
    }

    fn attempts(
        &self,
        event: AcceptedEvent,
        invoker: &Arc<dyn Invoker>,
        permits: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Attempts {
        let unknown_function = EventLimits { retries: 0, max_age: Duration::MAX };
        Attempts {
            limits: self.limits.get(&event.call.function).copied().unwrap_or(unknown_function),
            event,
            delays: self.delays.clone(),
            invoker: Arc::clone(invoker),
            permits: Arc::clone(permits),
            stop: stop.clone(),
        }
    }
}

/// All attempts of one event.
struct Attempts {
    event: AcceptedEvent,
    limits: EventLimits,
    delays: RetryDelays,
    invoker: Arc<dyn Invoker>,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Attempts {
    async fn run(mut self) {
        let accepted = Instant::now();
        let mut errors = 0;
        while let Err(error) = self.invoke().await {
            let delay = match error {
                InvokeError::NotFound(_) => return self.log_drop("ResourceNotFound", &error),
                InvokeError::Throttled => self.next_throttle_delay(),
                InvokeError::Function { .. } if errors >= self.limits.retries => {
                    return self.log_drop("RetriesExhausted", &error);
                }
                InvokeError::Function { .. } => {
                    errors += 1;
                    self.delays.after_errors[usize::from(errors > 1)]
                }
            };
            if accepted.elapsed() + delay > self.limits.max_age {
                return self.log_drop("EventAgeExceeded", &error);
            }
            let Invocation { function, request_id, .. } = &self.event.call;
            tracing::info!(function, request_id, %error, ?delay, "asynchronous invocation failed; retrying");
            self.wait(delay).await;
        }
        // Fails when the receipt was dropped, which is usual.
        let _ = self.event.succeeded.send(());
    }

    /// One attempt. Every attempt of an event has the same request id.
    async fn invoke(&self) -> Result<(), InvokeError> {
        let _permit = self.permits.acquire().await;
        self.invoker.invoke(self.event.call.clone()).await.map(drop)
    }

    fn next_throttle_delay(&mut self) -> Duration {
        let next = (self.delays.after_throttle * 2).min(self.delays.max_after_throttle);
        std::mem::replace(&mut self.delays.after_throttle, next)
    }

    async fn wait(&self, delay: Duration) {
        if self.stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            tokio::time::sleep(delay.min(MAX_SHUTDOWN_DELAY)).await;
        }
    }

    /// Logs why the event is dropped, with the condition that Lambda reports to a failure destination.
    fn log_drop(&self, condition: &str, error: &InvokeError) {
        let Invocation { function, request_id, .. } = &self.event.call;
        tracing::warn!(function, request_id, condition, %error, "asynchronous invocation dropped");
    }
}
