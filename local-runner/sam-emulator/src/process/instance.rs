//! One instance of a function: a process, its Runtime API, and the invocations that it serves one after
//! another. The instance is a task of its own, so that a crash or a hanging function delays no other.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use super::child::{Process, Spec};
use super::failure::{InitFailure, exit_error};
use super::launch::Launch;
use super::logs::memory_peak_mb;
use super::reply::RuntimeFailure;
use super::runtime_api::{ApiCall, NextEvent, Refusal, RuntimeApi};
use super::work::{Ended, InvokeResult, Orders, Reply, Work};
use crate::gateway;
use crate::invoke::report::Report;
use crate::invoke::{FunctionError, Invocation, InvokeError};

/// Something that happens to a process.
enum Event {
    Called(ApiCall),
    Exited(io::Result<ExitStatus>),
}

/// How an invocation ended.
enum Outcome {
    Completed(Result<Bytes, RuntimeFailure>),
    Exited(io::Result<ExitStatus>),
    TimedOut,
}

/// The end of an instance, and the answer that its caller gets after it.
struct Last {
    ended: Ended,
    answer: Option<(Reply, InvokeResult)>,
}

impl Last {
    fn quiet() -> Self {
        Self { ended: Ended::default(), answer: None }
    }

    fn returning(work: Work) -> Self {
        Self { ended: Ended { returned: vec![work], init_failure: None }, answer: None }
    }
}

/// Runs one instance until it ends. `is_free` is called when it can take work, `has_ended` at the end; both
/// before the caller of the last invocation gets its reply, so that its next call meets the new state.
pub(super) async fn run(
    spec: Arc<Spec>,
    launch: Launch,
    id: u64,
    mut orders: Orders,
    is_free: impl Fn(),
    has_ended: impl FnOnce(Ended),
) {
    let last = match Instance::start(spec, &launch, id).await {
        Ok(mut instance) => {
            let mut last = instance.live(&mut orders, is_free).await;
            instance.process.close(&instance.spec.guard).await;
            orders.works.close();
            while let Ok(work) = orders.works.try_recv() {
                last.ended.returned.push(work);
            }
            last
        }
        Err(error) => {
            let failure = InitFailure::not_started(&launch, &error);
            Last { ended: Ended { returned: Vec::new(), init_failure: Some(failure) }, answer: None }
        }
    };
    has_ended(last.ended);
    if let Some((reply, result)) = last.answer {
        // Fails when the caller has stopped waiting.
        let _ = reply.send(result);
    }
}

struct Instance {
    spec: Arc<Spec>,
    api: RuntimeApi,
    process: Process,
    /// The time of the initialization, until a REPORT line has shown it.
    init: Option<Duration>,
    /// The runtime's waiting `next`.
    next: Option<oneshot::Sender<Result<NextEvent, Refusal>>>,
    /// Until when the runtime may take to ask for its next event after a reply.
    next_deadline: Instant,
}

impl Instance {
    async fn start(spec: Arc<Spec>, launch: &Launch, id: u64) -> io::Result<Self> {
        let api = RuntimeApi::open().await?;
        let process = Process::start(&spec, launch, id, api.address).await?;
        let next_deadline = process.started;
        Ok(Self { spec, api, process, init: None, next: None, next_deadline })
    }

    async fn live(&mut self, orders: &mut Orders, is_free: impl Fn()) -> Last {
        let initialized = tokio::select! {
            () = orders.stop.cancelled() => return Last::quiet(),
            initialized = self.initialize(orders.init_limit) => initialized,
        };
        if let Err(failure) = initialized {
            let failure = failure.with_log(self.end_of_init());
            return Last { ended: Ended { returned: Vec::new(), init_failure: Some(failure) }, answer: None };
        }
        is_free();
        loop {
            let work = tokio::select! {
                biased;
                () = orders.stop.cancelled() => return Last::quiet(),
                event = self.event() => match event {
                    Event::Exited(_) => return Last::quiet(),
                    Event::Called(call) => { self.while_idle(call); continue }
                },
                work = orders.works.recv() => match work {
                    Some(work) => work,
                    None => return Last::quiet(),
                },
            };
            if let Err(last) = self.invoke(work, &is_free).await {
                return last;
            }
        }
    }

    /// Waits until the runtime asks for its first event.
    async fn initialize(&mut self, limit: Duration) -> Result<(), InitFailure> {
        let timeout = sleep(limit);
        tokio::pin!(timeout);
        loop {
            let event = tokio::select! {
                event = self.event() => event,
                () = &mut timeout => return Err(InitFailure::timed_out(limit)),
            };
            match event {
                Event::Exited(status) => return Err(InitFailure::exited(status)),
                Event::Called(ApiCall::Next(next)) => {
                    self.next = Some(next);
                    self.init = Some(self.process.started.elapsed());
                    return Ok(());
                }
                Event::Called(ApiCall::InitError { failure, answer }) => {
                    let _ = answer.send(Ok(()));
                    return Err(InitFailure::reported(failure));
                }
                Event::Called(ApiCall::Completed { answer, .. }) => {
                    let _ = answer.send(Err(Refusal::InvalidState));
                }
            }
        }
    }

    /// The lines of an initialization that failed.
    fn end_of_init(&mut self) -> Vec<u8> {
        let milliseconds = self.process.started.elapsed().as_secs_f64() * 1000.0;
        self.process
            .log
            .note(&format!("INIT_REPORT Init Duration: {milliseconds:.2} ms\tPhase: init\tStatus: error"));
        self.process.log.take()
    }

    /// The next call or the end of the process; reads the log meanwhile. Cancel-safe.
    async fn event(&mut self) -> Event {
        loop {
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => return Event::Called(call),
                () = self.process.log.read() => {}
                status = self.process.child.wait() => return Event::Exited(status),
            }
        }
    }

    /// A call while no invocation runs: only `next` fits.
    fn while_idle(&mut self, call: ApiCall) {
        match call {
            ApiCall::Next(next) => self.next = Some(next),
            ApiCall::Completed { answer, .. } | ApiCall::InitError { answer, .. } => {
                let _ = answer.send(Err(Refusal::InvalidState));
            }
        }
    }

    /// Serves one invocation. An error is the end of the instance.
    async fn invoke(&mut self, work: Work, is_free: &impl Fn()) -> Result<(), Last> {
        let work = self.deliver(work).await?;
        let (Work { call, reply, deadline }, started) = (work, Instant::now());
        let deadline = deadline.unwrap_or(started + self.spec.timeout);
        let outcome = self.outcome(&call.request_id, deadline).await;
        self.report(&call, &outcome, started.elapsed());
        let error = match outcome {
            Outcome::Completed(result) => {
                self.next_deadline = deadline;
                is_free();
                // Fails when the caller has stopped waiting.
                let _ = reply.send(result.map_err(InvokeError::from));
                return Ok(());
            }
            Outcome::Exited(status) => exit_error(status.ok(), &call.request_id),
            Outcome::TimedOut => FunctionError::timed_out(&call.request_id, self.spec.timeout),
        };
        Err(Last { ended: Ended::default(), answer: Some((reply, Err(error.into()))) })
    }

    /// Hands the event to the runtime's `next`, and waits for one if the runtime is still busy with what
    /// follows its last reply. The error is the end of the instance, which returns the work.
    async fn deliver(&mut self, work: Work) -> Result<Work, Last> {
        let mut event = self.next_event(&work);
        loop {
            if let Some(next) = self.next.take() {
                self.process.log.start(&work.call.request_id);
                match next.send(Ok(event)) {
                    Ok(()) => return Ok(work),
                    // The connection of that `next` is closed.
                    Err(unsent) => event = unsent.unwrap_or_else(|_| self.next_event(&work)),
                }
            }
            let limit = self.next_deadline;
            tokio::select! {
                happened = self.event() => match happened {
                    Event::Called(call) => self.while_idle(call),
                    Event::Exited(_) => return Err(Last::returning(work)),
                },
                () = sleep_until(limit) => return Err(Last::returning(work)),
            }
        }
    }

    async fn outcome(&mut self, id: &str, deadline: Instant) -> Outcome {
        loop {
            let event = tokio::select! {
                event = self.event() => event,
                () = sleep_until(deadline) => return Outcome::TimedOut,
            };
            match event {
                Event::Exited(status) => return Outcome::Exited(status),
                Event::Called(ApiCall::Completed { request_id, result, answer }) => {
                    if request_id == id {
                        let _ = answer.send(Ok(()));
                        return Outcome::Completed(result);
                    }
                    let _ = answer.send(Err(Refusal::InvalidRequestId));
                }
                Event::Called(ApiCall::Next(next)) => {
                    let _ = next.send(Err(Refusal::InvalidState));
                }
                Event::Called(ApiCall::InitError { answer, .. }) => {
                    let _ = answer.send(Err(Refusal::InvalidState));
                }
            }
        }
    }

    fn next_event(&self, work: &Work) -> NextEvent {
        let remaining = work.deadline.map_or(self.spec.timeout, |at| at - Instant::now());
        let deadline = (SystemTime::now() + remaining).duration_since(UNIX_EPOCH).unwrap_or_default();
        let trace = format!(
            "{};Parent={:016x};Sampled=0",
            gateway::trace_root(Timestamp::now()),
            rand::random::<u64>()
        );
        let mut headers = vec![
            ("lambda-runtime-aws-request-id", work.call.request_id.clone()),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", self.spec.arn.clone()),
            ("lambda-runtime-trace-id", trace),
        ];
        headers.extend(work.call.client_context.clone().map(|json| ("lambda-runtime-client-context", json)));
        NextEvent { headers, payload: work.call.payload.clone() }
    }

    fn report(&mut self, call: &Invocation, outcome: &Outcome, duration: Duration) {
        let status = match outcome {
            Outcome::Completed(_) => None,
            Outcome::Exited(_) => Some("error"),
            Outcome::TimedOut => Some("timeout"),
        };
        let report = Report {
            duration,
            memory_size_mb: self.spec.memory_mb,
            memory_peak_mb: memory_peak_mb(self.process.pid),
            init: self.init.take(),
            status,
        };
        self.process.log.end(&call.request_id, &report, call.log_tail.as_ref());
    }
}
