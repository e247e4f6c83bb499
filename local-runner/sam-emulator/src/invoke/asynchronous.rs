//! The queue behind `InvocationType: Event`: accepted at once, delivered soon, retried as Lambda does.
//! It lives in memory: what is still queued when the process is killed is gone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Invocation, InvokeError, Invoker};
use crate::plan::Plan;

/// Lambda's default concurrency of one account: how many events run at once.
const CONCURRENCY: usize = 1000;
/// The longest pause once the runner is stopping: nothing waits for minutes then.
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// The entrance to the queue; cheap to clone, usable before the functions are there.
#[derive(Debug, Clone)]
pub struct AsyncInvoker {
    sender: mpsc::UnboundedSender<Event>,
}

/// Ready when the event was delivered; an error when it was given up.
pub type Delivered = oneshot::Receiver<()>;

/// An accepted event, and who waits for its delivery.
#[derive(Debug)]
struct Event {
    call: Invocation,
    delivered: oneshot::Sender<()>,
}

impl AsyncInvoker {
    /// Accepts an event: what the Invoke API answers with 202. Returns at once; a queue that has ended
    /// drops the event with a log line.
    pub fn enqueue(&self, call: Invocation) {
        // Nobody waits for this one.
        drop(self.deliver(call));
    }

    /// The same, and says what becomes of it.
    pub fn deliver(&self, call: Invocation) -> Delivered {
        let (delivered, heard) = oneshot::channel();
        if let Err(mpsc::error::SendError(Event { call, .. })) = self.sender.send(Event { call, delivered }) {
            tracing::warn!(function = call.function, request_id = call.request_id, "stopping: event dropped");
        }
        heard
    }
}

/// How long Lambda waits before it tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pauses {
    /// After the first and the second function error.
    pub errors: [Duration; 2],
    /// After the first throttle; doubles each time.
    pub throttle: Duration,
    /// The longest pause after a throttle.
    pub throttle_max: Duration,
}

impl Default for Pauses {
    /// One minute, two minutes; 1 s to 5 min for throttles (contract §2).
    fn default() -> Self {
        Self {
            errors: [Duration::from_secs(60), Duration::from_secs(120)],
            throttle: Duration::from_secs(1),
            throttle_max: Duration::from_secs(300),
        }
    }
}

/// `EventInvokeConfig` of one function.
#[derive(Debug, Clone, Copy)]
struct Limits {
    retries: u32,
    max_age: Duration,
}

/// The queue's other end.
#[derive(Debug)]
pub struct Worker {
    receiver: mpsc::UnboundedReceiver<Event>,
    limits: HashMap<String, Limits>,
    pauses: Pauses,
}

/// Makes the queue for the functions of `plan`.
#[must_use]
pub fn queue(plan: &Plan, pauses: Pauses) -> (AsyncInvoker, Worker) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let limits = plan.functions.values().map(|function| {
        let limits = Limits { retries: function.async_retries, max_age: function.async_max_age };
        (function.name.clone(), limits)
    });
    (AsyncInvoker { sender }, Worker { receiver, limits: limits.collect(), pauses })
}

impl Worker {
    /// Delivers events until `stop`; then delivers what is queued, cuts waiting retries short, and returns
    /// when nothing runs any more.
    pub async fn run(mut self, invoker: Arc<dyn Invoker>, stop: CancellationToken) {
        let deliveries = TaskTracker::new();
        let slots = Arc::new(Semaphore::new(CONCURRENCY));
        while let Some(Some(event)) = stop.run_until_cancelled(self.receiver.recv()).await {
            deliveries.spawn(self.delivery(event, &invoker, &slots, &stop).run());
        }
        self.receiver.close();
        while let Some(event) = self.receiver.recv().await {
            deliveries.spawn(self.delivery(event, &invoker, &slots, &stop).run());
        }
        deliveries.close();
        deliveries.wait().await;
    }

    fn delivery(
        &self,
        Event { call, delivered }: Event,
        invoker: &Arc<dyn Invoker>,
        slots: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Delivery {
        let unlimited = Limits { retries: 0, max_age: Duration::MAX };
        Delivery {
            limits: self.limits.get(&call.function).copied().unwrap_or(unlimited),
            call,
            delivered,
            pauses: self.pauses.clone(),
            invoker: Arc::clone(invoker),
            slots: Arc::clone(slots),
            stop: stop.clone(),
        }
    }
}

/// One event on its way, with all its attempts.
struct Delivery {
    call: Invocation,
    delivered: oneshot::Sender<()>,
    limits: Limits,
    pauses: Pauses,
    invoker: Arc<dyn Invoker>,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Delivery {
    async fn run(mut self) {
        let accepted = Instant::now();
        let mut failures = 0;
        while let Err(error) = self.attempt().await {
            let pause = match error {
                InvokeError::NotFound(_) => return self.give_up("ResourceNotFound", &error),
                InvokeError::Throttled => self.throttle_pause(),
                InvokeError::Function { .. } if failures >= self.limits.retries => {
                    return self.give_up("RetriesExhausted", &error);
                }
                InvokeError::Function { .. } => {
                    failures += 1;
                    self.pauses.errors[usize::from(failures > 1)]
                }
            };
            if accepted.elapsed() + pause > self.limits.max_age {
                return self.give_up("EventAgeExceeded", &error);
            }
            tracing::info!(function = self.call.function, request_id = self.call.request_id, %error,
                ?pause, "an asynchronous invocation failed and will be tried again");
            self.wait(pause).await;
        }
        // Most events have nobody who waits.
        let _ = self.delivered.send(());
    }

    /// One invocation, under the same request id each time.
    async fn attempt(&self) -> Result<(), InvokeError> {
        let _slot = self.slots.acquire().await;
        self.invoker.invoke(self.call.clone()).await.map(drop)
    }

    fn throttle_pause(&mut self) -> Duration {
        let next = (self.pauses.throttle * 2).min(self.pauses.throttle_max);
        std::mem::replace(&mut self.pauses.throttle, next)
    }

    async fn wait(&self, pause: Duration) {
        if self.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            tokio::time::sleep(pause.min(LAST_PAUSE)).await;
        }
    }

    fn give_up(&self, condition: &str, error: &InvokeError) {
        tracing::warn!(function = self.call.function, request_id = self.call.request_id, condition, %error,
            "an asynchronous invocation is given up");
    }
}
