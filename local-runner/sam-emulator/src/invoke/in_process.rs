//! The invoker of handlers in this process. Every invocation is a task of its own, so that a panic becomes a
//! function error and a caller that stops waiting does not stop the function.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::report::{self, Report};
use super::{BoxFuture, Context, FunctionError, Handler, Invocation, InvokeError, Invoker, Registry};
use crate::plan::{FunctionPlan, Plan};

/// Lambda's limit on a synchronous response, as its error message states it: 6 MiB and 100 bytes.
pub(crate) const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// Calls the handlers of a registry under the limits of a plan: timeout, concurrency, size of the reply.
#[derive(Clone)]
pub struct InProcess {
    functions: Arc<HashMap<String, Function>>,
    invocations: TaskTracker,
}

struct Function {
    handler: Option<Handler>,
    timeout: Duration,
    memory_mb: u32,
    /// One permit per allowed concurrent invocation; `None` is no limit.
    permits: Option<Arc<Semaphore>>,
}

impl InProcess {
    /// Joins each function of the plan with the handler of its name, or of its binary's name. A function
    /// without a handler fails when it is invoked.
    #[must_use]
    pub fn new(plan: &Plan, registry: &Registry) -> Self {
        let functions = plan.functions.values();
        let functions = functions.map(|function| (function.name.clone(), Function::new(function, registry)));
        Self { functions: Arc::new(functions.collect()), invocations: TaskTracker::new() }
    }

    /// The names of the functions that have no handler, sorted.
    #[must_use]
    pub fn without_handler(&self) -> Vec<&str> {
        let missing = self.functions.iter().filter(|(_, function)| function.handler.is_none());
        let mut names: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

impl Invoker for InProcess {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let running = self.start(call);
        Box::pin(async move { running?.await.unwrap_or_else(|failed| Err(panicked(failed).into())) })
    }

    fn drain(&self) -> BoxFuture<()> {
        self.invocations.close();
        let invocations = self.invocations.clone();
        Box::pin(async move { invocations.wait().await })
    }
}

type RunningInvocation = tokio::task::JoinHandle<Result<Bytes, InvokeError>>;

impl InProcess {
    fn start(&self, call: Invocation) -> Result<RunningInvocation, InvokeError> {
        let Some(function) = self.functions.get(&call.function) else {
            return Err(InvokeError::NotFound(call.function));
        };
        let permit = function.permit()?;
        let Some(handler) = function.handler.clone() else {
            let message = format!("the function {} has no handler in this program", call.function);
            return Err(FunctionError::new("Runtime.InvalidEntrypoint", message).into());
        };
        let (limit, memory_mb) = (function.timeout, function.memory_mb);
        let context = function.context(&call);
        Ok(self.invocations.spawn(async move {
            let _permit = permit;
            let (request_id, log_tail) = (context.request_id.clone(), call.log_tail.clone());
            let begun = Instant::now();
            let reply = match timeout(limit, async move { handler(call, context).await }).await {
                Ok(reply) => reply.and_then(check_size),
                Err(_) => Err(FunctionError::timed_out(&request_id, limit)),
            };
            if let Some(tail) = log_tail {
                tail.fill(log(&request_id, begun.elapsed(), memory_mb, reply.as_ref().err()).as_bytes());
            }
            Ok(reply?)
        }))
    }
}

impl Function {
    fn new(plan: &FunctionPlan, registry: &Registry) -> Self {
        let permits = plan.reserved_concurrency.map(|count| Arc::new(Semaphore::new(count as usize)));
        // The name of a binary is the same in every stack, even if the stack gives its functions a prefix.
        let handler = registry.get(&plan.name).or_else(|| registry.get(&plan.binary)).cloned();
        Self { handler, timeout: plan.timeout, memory_mb: plan.memory_mb, permits }
    }

    fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, InvokeError> {
        let Some(permits) = &self.permits else { return Ok(None) };
        Arc::clone(permits).try_acquire_owned().map(Some).map_err(|_| InvokeError::Throttled)
    }

    fn context(&self, call: &Invocation) -> Context {
        let deadline = SystemTime::now() + self.timeout;
        Context {
            request_id: call.request_id.clone(),
            deadline_ms: deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64,
        }
    }
}

/// The log of one invocation. What a function of this process prints goes to the emulator's own log, so this
/// has Lambda's lines and the function's error only.
fn log(request_id: &str, duration: Duration, memory_size_mb: u32, error: Option<&FunctionError>) -> String {
    let status = error.map(|error| if error.error_type == "Sandbox.Timedout" { "timeout" } else { "error" });
    let report = Report { duration, memory_size_mb, memory_peak_mb: None, init: None, status };
    let error = error.map(|error| format!("{}\n", error.payload())).unwrap_or_default();
    let (start, end) = (report::start(request_id), report::end(request_id));
    format!("{start}\n{error}{end}\n{}\n", report.line(request_id))
}

fn check_size(reply: Bytes) -> Result<Bytes, FunctionError> {
    if reply.len() <= MAX_RESPONSE { Ok(reply) } else { Err(FunctionError::too_large(MAX_RESPONSE)) }
}

/// The type and message that the Rust runtime reports for a panic (`lambda_runtime`, `layers/panic.rs`). A
/// task that was aborted is reported as a process that exited.
fn panicked(failed: JoinError) -> FunctionError {
    let Ok(payload) = failed.try_into_panic() else {
        return FunctionError::new("Runtime.ExitError", "Runtime exited without providing a reason");
    };
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.map_or("Lambda panicked".to_owned(), |text| format!("Lambda panicked: {text}"));
    FunctionError::new(std::any::type_name::<&Box<dyn Any + Send>>(), message)
}
