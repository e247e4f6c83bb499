//! The default invoker: functions are handlers in this process. Each invocation is a task of its own, so a
//! panic is a function error and a caller that gives up does not stop the function.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{BoxFuture, Context, FunctionError, Handler, Invocation, InvokeError, Invoker, Registry};
use crate::plan::{FunctionPlan, Plan};

/// Lambda's limit on a synchronous response, as its error message states it: 6 MiB and 100 bytes.
const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// Calls the registry's handlers under the plan's limits.
#[derive(Clone)]
pub struct InProcess {
    functions: Arc<HashMap<String, Function>>,
    tasks: TaskTracker,
}

struct Function {
    handler: Option<Handler>,
    arn: String,
    timeout: Duration,
    memory_mb: u32,
    /// Present with `ReservedConcurrentExecutions`.
    permits: Option<Arc<Semaphore>>,
}

impl InProcess {
    /// Joins the plan's functions with their handlers, by name or by the name of their binary. A function without a handler fails when called.
    #[must_use]
    pub fn new(plan: &Plan, registry: &Registry) -> Self {
        let functions = plan.functions.values().map(|function| {
            let arn = plan.account.function_arn(&function.name);
            (function.name.clone(), Function::new(function, arn, registry))
        });
        Self { functions: Arc::new(functions.collect()), tasks: TaskTracker::new() }
    }

    /// Names that the template has and the registry has not.
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
        Box::pin(async move { running?.await.unwrap_or_else(|broken| Err(panicked(broken).into())) })
    }

    fn drain(&self) -> BoxFuture<()> {
        self.tasks.close();
        let tasks = self.tasks.clone();
        Box::pin(async move { tasks.wait().await })
    }
}

type Running = tokio::task::JoinHandle<Result<Bytes, InvokeError>>;

impl InProcess {
    fn start(&self, call: Invocation) -> Result<Running, InvokeError> {
        let Some(function) = self.functions.get(&call.function) else {
            return Err(InvokeError::NotFound(call.function));
        };
        let permit = function.permit()?;
        let Some(handler) = function.handler.clone() else {
            let message = format!("{} is not linked into this runner", call.function);
            return Err(FunctionError::new("Runtime.InvalidEntrypoint", message).into());
        };
        let limit = function.timeout;
        let context = function.context(&call);
        Ok(self.tasks.spawn(async move {
            let _permit = permit;
            let request_id = context.request_id.clone();
            match timeout(limit, async move { handler(call, context).await }).await {
                Ok(reply) => Ok(bounded(reply?)?),
                Err(_) => Err(timed_out(&request_id, limit).into()),
            }
        }))
    }
}

impl Function {
    fn new(plan: &FunctionPlan, arn: String, registry: &Registry) -> Self {
        let permits = plan.reserved_concurrency.map(|count| Arc::new(Semaphore::new(count as usize)));
        // A stack's prefix changes the function's name, not the binary's.
        let handler = registry.get(&plan.name).or_else(|| registry.get(&plan.binary)).cloned();
        Self { handler, arn, timeout: plan.timeout, memory_mb: plan.memory_mb, permits }
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
            invoked_function_arn: self.arn.clone(),
            memory_mb: self.memory_mb,
        }
    }
}

fn bounded(reply: Bytes) -> Result<Bytes, FunctionError> {
    if reply.len() <= MAX_RESPONSE {
        return Ok(reply);
    }
    let message =
        format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
    Err(FunctionError::new("Function.ResponseSizeTooLarge", message))
}

fn timed_out(request_id: &str, limit: Duration) -> FunctionError {
    let message =
        format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", limit.as_secs_f64());
    FunctionError::new("Sandbox.Timedout", message)
}

/// The type and message that the Rust runtime's own panic layer reports (`lambda_runtime`, `layers/panic.rs`);
/// a task that was cut off is a process that ended.
fn panicked(broken: JoinError) -> FunctionError {
    let Ok(payload) = broken.try_into_panic() else {
        return FunctionError::new("Runtime.ExitError", "Runtime exited without providing a reason");
    };
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.map_or("Lambda panicked".to_owned(), |text| format!("Lambda panicked: {text}"));
    FunctionError::new(std::any::type_name::<Box<dyn Any + Send>>(), message)
}
