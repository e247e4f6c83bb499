//! The invoker that runs every function in processes of its own and serves them the Lambda Runtime API
//! (`--mode process`): what is deployed is what runs.
//!
//! In the order of reading: `environment` (what a process sees), `launch`, `child` and `runtime_api` (how it is
//! started and how it talks to Lambda), `instance` (one process), `function` (all instances of one
//! function), `group` (ending processes), `logs`, `failure` and `reply` (what a process prints and posts).
//! `programs` finds the programs, `cargo` builds them, and `watch` replaces them.

mod cargo;
mod child;
mod environment;
mod failure;
mod function;
mod group;
mod instance;
mod launch;
mod logs;
mod programs;
mod reply;
mod runtime_api;
mod runtimes;
pub mod watch;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

pub use environment::HostEnvironment;
pub use programs::{Programs, ProgramsError, Search};

use self::child::Spec;
use self::function::{Limits, Message};
use self::group::Guard;
use crate::invoke::{BoxFuture, FunctionError, Invocation, InvokeError, Invoker};
use crate::plan::{FunctionPlan, Plan};

/// Limits of process mode that no template sets.
#[derive(Debug, Clone)]
pub struct ProcessOptions {
    /// The most instances of one function; further invocations wait.
    pub max_instances: usize,
    /// How long an instance may be idle before it ends.
    pub idle_timeout: Duration,
}

impl Default for ProcessOptions {
    /// Ten instances, five minutes.
    fn default() -> Self {
        Self { max_instances: 10, idle_timeout: Duration::from_secs(300) }
    }
}

/// Runs functions in processes. A clone is another handle on the same processes.
#[derive(Clone)]
pub struct Processes {
    inner: Arc<Inner>,
}

struct Inner {
    functions: HashMap<String, Function>,
    guard: Guard,
    /// The folder of the instances' temporary files; removed at the end.
    _scratch: Scratch,
}

enum Function {
    Run(mpsc::UnboundedSender<Message>),
    /// The template has it, and it is not run here for this reason.
    NotRun(String),
}

impl Processes {
    /// Prepares the functions of `plan`; a process starts with a function's first invocation.
    ///
    /// # Errors
    /// The guard process or the folder for temporary files cannot be created.
    pub fn new(
        plan: &Plan,
        programs: &Programs,
        host: &HostEnvironment,
        options: &ProcessOptions,
    ) -> io::Result<Self> {
        let guard = Guard::start()?;
        let scratch = Scratch::new()?;
        guard.add_directory(&scratch.0);
        let spec = |function: &FunctionPlan, task_root: &std::path::Path| Spec {
            name: function.name.clone(),
            arn: plan.account.function_arn(&function.name),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            environment: host.of(function, task_root),
            scratch: scratch.0.clone(),
            guard: guard.clone(),
        };
        let mut functions = HashMap::new();
        for function in plan.functions.values() {
            let state = match programs.get(&function.name) {
                Ok(launch) => {
                    let limits = Limits {
                        reserved: function.reserved_concurrency,
                        instances: options.max_instances,
                        idle: options.idle_timeout,
                    };
                    Function::Run(function::start(spec(function, &launch.task_root), launch.clone(), limits))
                }
                Err(reason) => Function::NotRun(reason.to_owned()),
            };
            functions.insert(function.name.clone(), state);
        }
        Ok(Self { inner: Arc::new(Inner { functions, guard, _scratch: scratch }) })
    }

    /// Replaces the code of functions: running invocations finish with the old code, later ones use the new.
    fn replace(&self, launches: BTreeMap<String, launch::Launch>) {
        for (name, launch) in launches {
            if let Some(Function::Run(mailbox)) = self.inner.functions.get(&name) {
                // Fails only after shutdown.
                let _ = mailbox.send(Message::Replace(launch));
            }
        }
    }
}

impl Invoker for Processes {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let mailbox = match self.inner.functions.get(&call.function) {
            Some(Function::Run(mailbox)) => mailbox,
            Some(Function::NotRun(reason)) => {
                return Box::pin(std::future::ready(Err(function::not_run(&call.function, reason))));
            }
            None => return Box::pin(std::future::ready(Err(InvokeError::NotFound(call.function)))),
        };
        let (reply, result) = oneshot::channel();
        let sent = mailbox.send(Message::Invoke(call, reply));
        Box::pin(async move {
            let stopped = || FunctionError::new("Runtime.ExitError", "the emulator is shutting down").into();
            match sent {
                Ok(()) => result.await.unwrap_or_else(|_| Err(stopped())),
                Err(_) => Err(stopped()),
            }
        })
    }

    fn drain(&self) -> BoxFuture<()> {
        let waits: Vec<_> = self.inner.functions.values().filter_map(drain).collect();
        Box::pin(async move {
            for wait in waits {
                // An error means that the function has drained already.
                let _ = wait.await;
            }
        })
    }
}

fn drain(function: &Function) -> Option<oneshot::Receiver<()>> {
    let Function::Run(mailbox) = function else { return None };
    let (drained, wait) = oneshot::channel();
    mailbox.send(Message::Drain(drained)).ok().map(|()| wait)
}

/// A folder of this process below the system's one for temporary files.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let name = format!("sam-emulator-{}-{:08x}", std::process::id(), rand::random::<u32>());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The guard removes it too.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
