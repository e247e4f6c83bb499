//! The trigger: sleeps until the next run, fires what is due, remembers it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::by_hand::Fired;
use super::event::{Place, event};
use super::schedules::{Firing, Schedules};
use super::state::State;
use crate::invoke::asynchronous::Delivered;
use crate::invoke::{BoxFuture, Invocation};

/// The longest sleep: a wall clock that was set, or a machine that slept, is noticed within it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The time as an input.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Ready after about `pause`; an early wake costs one more look.
    fn sleep(&self, pause: Duration) -> BoxFuture<()>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// Hands an invocation to the asynchronous queue (`InvocationType: Event`) and returns at once; what becomes of
/// it is heard later.
pub type InvokeAsync = Arc<dyn Fn(Invocation) -> Delivered + Send + Sync>;

/// How long runs that are under way at the end are waited for. One that takes longer is told as missed by the
/// next start, and firing it again does no harm.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Fires the schedules of one plan until it is stopped.
pub struct Trigger {
    schedules: Schedules,
    state: State,
    place: Place,
    clock: Arc<dyn Clock>,
    invoke: InvokeAsync,
    by_hand: Option<UnboundedReceiver<Fired>>,
    under_way: FuturesUnordered<BoxFuture<Option<(String, Timestamp)>>>,
}

impl Trigger {
    /// A trigger that has not begun. `state` is the one `schedules` was opened with.
    #[must_use]
    pub fn new(
        schedules: Schedules,
        state: State,
        place: Place,
        clock: Arc<dyn Clock>,
        invoke: InvokeAsync,
    ) -> Self {
        Self { schedules, state, place, clock, invoke, by_hand: None, under_way: FuturesUnordered::new() }
    }

    /// Remembers what it hears was fired by hand.
    #[must_use]
    pub fn hearing(mut self, by_hand: UnboundedReceiver<Fired>) -> Self {
        self.by_hand = Some(by_hand);
        self
    }

    /// Fires each run once, from the opening of the schedules until `stop` is ready. Runs missed while
    /// the process was down, or while the machine slept, are told and never fired. A run counts when its function
    /// has succeeded: one that was killed or given up is told by the next start as missed.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        for missed in self.schedules.missed() {
            tracing::warn!(schedule = missed.schedule, count = missed.count, last = %missed.last,
                "missed while the runner was down; fire by hand if it matters");
        }
        save(&self.state).await;
        let mut seen = self.schedules.opened();
        loop {
            let pause = self.pause(seen);
            tokio::select! {
                // What was told before the end is noted before it.
                biased;
                fired = heard(&mut self.by_hand) => {
                    self.remember(&fired).await;
                    continue;
                }
                Some(succeeded) = self.under_way.next() => {
                    self.note(succeeded).await;
                    continue;
                }
                () = &mut stop => return self.end().await,
                () = self.clock.sleep(pause) => {}
            }
            let now = self.clock.now();
            // A clock set back must not fire the same hour twice.
            if now > seen {
                self.tick(seen, now).await;
                seen = now;
            }
        }
    }

    fn pause(&self, seen: Timestamp) -> Duration {
        let until = self.schedules.next_after(seen).map(|next| next.duration_since(self.clock.now()));
        match until {
            Some(until) => until.try_into().unwrap_or(Duration::ZERO).min(LONGEST_SLEEP),
            None => LONGEST_SLEEP,
        }
    }

    /// Fires what became due after `from` up to `to`.
    async fn tick(&mut self, from: Timestamp, to: Timestamp) {
        let due = self.schedules.due(from, to);
        for missed in &due.missed {
            tracing::warn!(schedule = missed.schedule, count = missed.count, last = %missed.last,
                "missed while the machine slept; fire by hand if it matters");
        }
        for firing in &due.fire {
            tracing::info!(schedule = firing.plan.name, at = %firing.at, "fires");
            let delivered = (self.invoke)(invocation(firing, &self.place));
            let (schedule, at) = (firing.plan.name.clone(), firing.at);
            self.under_way.push(Box::pin(async move { delivered.await.ok().map(|()| (schedule, at)) }));
        }
    }

    async fn note(&mut self, succeeded: Option<(String, Timestamp)>) {
        if let Some((schedule, at)) = succeeded {
            self.state.record(&schedule, at);
            save(&self.state).await;
        }
    }

    async fn end(mut self) {
        let last = async {
            while let Some(succeeded) = self.under_way.next().await {
                self.note(succeeded).await;
            }
        };
        // What takes longer is not forgotten: it was never noted.
        let _ = tokio::time::timeout(LAST_WAIT, last).await;
    }

    async fn remember(&mut self, fired: &Fired) {
        if fired.counts(self.clock.now()) {
            self.state.record(&fired.schedule, fired.at);
            save(&self.state).await;
        }
    }
}

async fn save(state: &State) {
    if let Err(error) = state.save().await {
        tracing::warn!(%error, "the schedules' state is not saved");
    }
}

/// The next run fired by hand; never, when nobody can tell.
async fn heard(by_hand: &mut Option<UnboundedReceiver<Fired>>) -> Fired {
    match by_hand {
        Some(ear) => match ear.recv().await {
            Some(fired) => fired,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// The asynchronous invocation that a firing asks for.
pub(super) fn invocation(firing: &Firing, place: &Place) -> Invocation {
    let event = event(&firing.plan, firing.at, place, &Uuid::new_v4().to_string());
    Invocation::new(firing.plan.function.as_str(), event)
}
