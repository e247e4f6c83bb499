//! The owner of one function: a task with a mailbox that decides which instance serves which invocation,
//! starts instances as the load grows, and ends those that are idle for long.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::child::Spec;
use super::failure::InitFailure;
use super::instance;
use super::launch::Launch;
use super::work::{Ended, Orders, Reply, Work};
use crate::invoke::{FunctionError, Invocation, InvokeError};

/// Lambda's limit of the initialization. If it fails, it is repeated once, within the function's timeout.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// Invocations that wait for an instance; more are throttled.
const MAX_WAITING: usize = 1000;

/// Limits of one function's instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// `ReservedConcurrentExecutions`: further invocations are throttled.
    pub(super) reserved: Option<u32>,
    /// The most instances on this machine: further invocations wait.
    pub(super) instances: usize,
    /// How long an instance may be idle.
    pub(super) idle: Duration,
}

/// A message to the owner.
pub(super) enum Message {
    Invoke(Invocation, Reply),
    /// The instance can take work.
    Free(u64),
    Ended(u64, Ended),
    /// New code: instances of the old code end after their invocation.
    Replace(Launch),
    /// Answers when nothing runs and every process has ended. No invocation follows.
    Drain(oneshot::Sender<()>),
}

/// Starts the owner's task and returns its mailbox.
pub(super) fn start(spec: Spec, launch: Launch, limits: Limits) -> mpsc::UnboundedSender<Message> {
    let (sender, mailbox) = mpsc::unbounded_channel();
    let owner = Owner {
        spec: Arc::new(spec),
        launch,
        limits,
        events: sender.clone(),
        instances: BTreeMap::new(),
        next_id: 0,
        generation: 0,
        waiting: VecDeque::new(),
        drained: None,
    };
    tokio::spawn(owner.run(mailbox));
    sender
}

struct Owner {
    spec: Arc<Spec>,
    launch: Launch,
    limits: Limits,
    /// The owner's own mailbox, for its instances.
    events: mpsc::UnboundedSender<Message>,
    instances: BTreeMap<u64, Instance>,
    next_id: u64,
    /// Counts the versions of the code.
    generation: u64,
    waiting: VecDeque<Work>,
    drained: Option<oneshot::Sender<()>>,
}

struct Instance {
    works: mpsc::UnboundedSender<Work>,
    stop: CancellationToken,
    generation: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Idle(Instant),
    Busy,
    /// Told to end.
    Ending,
}

impl Owner {
    async fn run(mut self, mut mailbox: mpsc::UnboundedReceiver<Message>) {
        loop {
            let idle_end = self.next_idle_end();
            tokio::select! {
                message = mailbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => return,
                },
                () = sleep_until(idle_end.unwrap_or_else(Instant::now)), if idle_end.is_some() => self.end_idle(),
            }
            self.assign();
            if self.instances.is_empty() && self.waiting.is_empty() && self.drained.is_some() {
                let _ = self.drained.take().map(|drained| drained.send(()));
                return;
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Invoke(call, reply) => self.accept(call, reply),
            Message::Free(id) => self.free(id),
            Message::Ended(id, ended) => self.ended(id, ended),
            Message::Replace(launch) => self.replace(launch),
            Message::Drain(drained) => self.drained = Some(drained),
        }
    }

    fn accept(&mut self, call: Invocation, reply: Reply) {
        let running = self.count(|state| state == State::Busy) + self.waiting.len();
        let is_reserved = self.limits.reserved.is_some_and(|reserved| running >= reserved as usize);
        if is_reserved || self.waiting.len() >= MAX_WAITING {
            let _ = reply.send(Err(InvokeError::Throttled));
            return;
        }
        self.waiting.push_back(Work { call, reply, deadline: None });
    }

    fn free(&mut self, id: u64) {
        let generation = self.generation;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if instance.generation == generation {
            instance.state = State::Idle(Instant::now());
        } else {
            instance.end();
        }
    }

    fn ended(&mut self, id: u64, ended: Ended) {
        self.instances.remove(&id);
        for work in ended.returned.into_iter().rev() {
            self.waiting.push_front(work);
        }
        if let Some(failure) = ended.init_failure {
            self.init_failed(failure);
        }
    }

    /// The invocation that the instance was started for gets a second attempt within the function's timeout,
    /// as on Lambda, and then the error.
    fn init_failed(&mut self, failure: InitFailure) {
        let Some(mut work) = self.waiting.pop_front() else { return };
        let deadline = Instant::now() + self.spec.timeout;
        if work.deadline.is_none() {
            work.deadline = Some(deadline);
            return self.waiting.push_front(work);
        }
        if let Some(tail) = &work.call.log_tail {
            tail.fill(&failure.log);
        }
        let error = failure.error(&work.call.request_id);
        let _ = work.reply.send(Err(error));
    }

    fn replace(&mut self, launch: Launch) {
        self.launch = launch;
        self.generation += 1;
        for instance in self.instances.values_mut() {
            if matches!(instance.state, State::Idle(_) | State::Starting) {
                instance.end();
            }
        }
    }

    /// Gives waiting invocations to idle instances, the last used first, and starts instances for the rest.
    fn assign(&mut self) {
        while let Some(id) = self.last_used().filter(|_| !self.waiting.is_empty()) {
            let (Some(instance), Some(work)) = (self.instances.get_mut(&id), self.waiting.pop_front()) else {
                return;
            };
            instance.state = State::Busy;
            // An instance that has just ended returns the work with its end.
            if let Err(mpsc::error::SendError(work)) = instance.works.send(work) {
                self.instances.remove(&id);
                self.waiting.push_front(work);
            }
        }
        let limit = self.limits.reserved.map_or(usize::MAX, |reserved| reserved as usize);
        let limit = limit.min(self.limits.instances);
        while self.waiting.len() > self.count(|state| state == State::Starting)
            && self.instances.len() < limit
        {
            self.start_instance();
        }
        if self.drained.is_some() && self.waiting.is_empty() {
            for instance in self.instances.values_mut().filter(|instance| instance.state != State::Busy) {
                instance.end();
            }
        }
    }

    fn start_instance(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        let (works, receiver) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let is_repeated = self.waiting.front().is_some_and(|work| work.deadline.is_some());
        let init_limit = if is_repeated { self.spec.timeout } else { INIT_LIMIT };
        let orders = Orders { works: receiver, stop: stop.clone(), init_limit };
        let (free, ended) = (self.events.clone(), self.events.clone());
        // Sending fails only after the owner has ended.
        let is_free = move || drop(free.send(Message::Free(id)));
        let has_ended = move |end| drop(ended.send(Message::Ended(id, end)));
        tokio::spawn(instance::run(
            Arc::clone(&self.spec),
            self.launch.clone(),
            id,
            orders,
            is_free,
            has_ended,
        ));
        let generation = self.generation;
        self.instances.insert(id, Instance { works, stop, generation, state: State::Starting });
    }

    fn last_used(&self) -> Option<u64> {
        let idle = self.instances.iter().filter_map(|(id, instance)| match instance.state {
            State::Idle(since) => Some((since, *id)),
            _ => None,
        });
        idle.max().map(|(_, id)| id)
    }

    fn next_idle_end(&self) -> Option<Instant> {
        let idle = self.instances.values().filter_map(|instance| match instance.state {
            State::Idle(since) => Some(since + self.limits.idle),
            _ => None,
        });
        idle.min()
    }

    fn end_idle(&mut self) {
        let now = Instant::now();
        let limit = self.limits.idle;
        for instance in self.instances.values_mut() {
            if matches!(instance.state, State::Idle(since) if since + limit <= now) {
                instance.end();
            }
        }
    }

    fn count(&self, is_counted: impl Fn(State) -> bool) -> usize {
        self.instances.values().filter(|instance| is_counted(instance.state)).count()
    }
}

impl Instance {
    fn end(&mut self) {
        self.state = State::Ending;
        self.stop.cancel();
    }
}

/// The error of a function that is in the template but cannot run here.
pub(super) fn not_run(name: &str, reason: &str) -> InvokeError {
    FunctionError::new("Runtime.InvalidEntrypoint", format!("the function {name} is not run here: {reason}"))
        .into()
}
