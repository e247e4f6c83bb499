//! The trigger: sleeps until the next run, invokes the functions that are due, and records the runs that
//! succeed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::event;
use super::manual::ManualRun;
use super::schedules::{DueRun, Schedules};
use super::state::ScheduleState;
use crate::invoke::asynchronous::DeliveryReceipt;
use crate::invoke::{BoxFuture, Invocation};
use crate::plan::Account;

/// The longest sleep. It limits how long a changed system clock, or a machine that was suspended, goes
/// unnoticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Time for the runs in progress at shutdown. A run that takes longer is not recorded: the next start reports
/// it as missed, and firing it again must be harmless anyway.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The system clock as an input.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
    /// Waits for about `duration`. Returning early is allowed.
    fn sleep(&self, duration: Duration) -> BoxFuture<()>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Queues an asynchronous invocation (`InvocationType: Event`) and returns at once, with the receipt of its
/// delivery.
pub type InvokeAsync = Arc<dyn Fn(Invocation) -> DeliveryReceipt + Send + Sync>;

/// Runs the schedules of one plan until it is stopped.
pub struct Trigger {
    schedules: Schedules,
    state: ScheduleState,
    account: Account,
    clock: Arc<dyn Clock>,
    invoke: InvokeAsync,
    manual_runs: Option<UnboundedReceiver<ManualRun>>,
    in_progress: FuturesUnordered<BoxFuture<Option<SucceededRun>>>,
}

struct SucceededRun {
    schedule: String,
    at: Timestamp,
}

impl Trigger {
    /// A trigger that is not running yet. `state` must be the one that `schedules` was made with.
    #[must_use]
    pub fn new(
        schedules: Schedules,
        state: ScheduleState,
        account: Account,
        clock: Arc<dyn Clock>,
        invoke: InvokeAsync,
    ) -> Self {
        let in_progress = FuturesUnordered::new();
        Self { schedules, state, account, clock, invoke, manual_runs: None, in_progress }
    }

    /// Also records the manual runs that it receives.
    #[must_use]
    pub fn with_manual_runs(mut self, manual_runs: UnboundedReceiver<ManualRun>) -> Self {
        self.manual_runs = Some(manual_runs);
        self
    }

    /// Starts each run once, until `stop` resolves. A run is recorded when its function succeeds; if the
    /// process is killed first, or the event is dropped, the next start reports the run as missed. Missed
    /// runs, also those missed while the machine was suspended, are logged and never started.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        for missed in self.schedules.missed() {
            tracing::warn!(schedule = missed.schedule, count = missed.count, last = %missed.last,
                "runs missed while the emulator was not running; use the command fire to run one");
        }
        save(&self.state).await;
        let mut checked_until = self.schedules.opened();
        loop {
            let sleep = self.sleep_after(checked_until);
            tokio::select! {
                // In this order, so that a manual run that was sent before the stop is recorded.
                biased;
                run = receive(&mut self.manual_runs) => {
                    self.record_manual(&run).await;
                    continue;
                }
                Some(succeeded) = self.in_progress.next() => {
                    self.record(succeeded).await;
                    continue;
                }
                () = &mut stop => return self.drain().await,
                () = self.clock.sleep(sleep) => {}
            }
            let now = self.clock.now();
            // If the system clock was set back, no run starts twice.
            if now > checked_until {
                self.start_due_runs(checked_until, now);
                checked_until = now;
            }
        }
    }

    fn sleep_after(&self, checked_until: Timestamp) -> Duration {
        let next = self.schedules.next_after(checked_until);
        match next.map(|next| next.duration_since(self.clock.now())) {
            Some(duration) => duration.try_into().unwrap_or(Duration::ZERO).min(MAX_SLEEP),
            None => MAX_SLEEP,
        }
    }

    /// Starts what became due after `from`, up to and including `to`.
    fn start_due_runs(&self, from: Timestamp, to: Timestamp) {
        let due = self.schedules.due(from, to);
        for missed in &due.missed {
            tracing::warn!(schedule = missed.schedule, count = missed.count, last = %missed.last,
                "runs missed while the machine was suspended; use the command fire to run one");
        }
        for run in &due.runs {
            tracing::info!(schedule = run.plan.name, at = %run.at, "schedule run started");
            let receipt = (self.invoke)(invocation(run, &self.account));
            let (schedule, at) = (run.plan.name.clone(), run.at);
            let succeeded = async move { receipt.await.ok().map(|()| SucceededRun { schedule, at }) };
            self.in_progress.push(Box::pin(succeeded));
        }
    }

    async fn record(&mut self, succeeded: Option<SucceededRun>) {
        if let Some(SucceededRun { schedule, at }) = succeeded {
            self.state.record(&schedule, at);
            save(&self.state).await;
        }
    }

    async fn record_manual(&mut self, run: &ManualRun) {
        if run.is_due(self.clock.now()) {
            self.state.record(&run.schedule, run.at);
            save(&self.state).await;
        }
    }

    /// Records the runs in progress that succeed within [`DRAIN_TIMEOUT`].
    async fn drain(mut self) {
        let finished = async {
            while let Some(succeeded) = self.in_progress.next().await {
                self.record(succeeded).await;
            }
        };
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, finished).await;
    }
}

async fn save(state: &ScheduleState) {
    if let Err(error) = state.save().await {
        tracing::warn!(%error, "cannot save the state of the schedules");
    }
}

/// The next manual run; pending forever without a sender.
async fn receive(manual_runs: &mut Option<UnboundedReceiver<ManualRun>>) -> ManualRun {
    if let Some(receiver) = manual_runs
        && let Some(run) = receiver.recv().await
    {
        return run;
    }
    std::future::pending().await
}

/// The asynchronous invocation of a run.
pub(super) fn invocation(run: &DueRun, account: &Account) -> Invocation {
    let event = event::build(&run.plan, run.at, account, &Uuid::new_v4().to_string());
    Invocation::new(run.plan.function.as_str(), event)
}
