//! The runner put together: a plan, an application's functions, one port, and an orderly end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http_api::HttpApi;
use crate::invoke::asynchronous::{self, AsyncInvoker, Pauses, Worker};
use crate::invoke::{BoxFuture, InProcess, Invocation, InvokeError, Invoker, Registry};
use crate::invoke_api::InvokeApi;
use crate::mount::Mount;
use crate::one_off::OneOff;
use crate::plan::Plan;
use crate::queues::{QueueDesk, QueuesMount};
use crate::server;
use crate::websocket::selection::SelectionError;
use crate::websocket::{self, Connections, ConnectionsApi, WebSocketApi};

/// How long the end may take, from the first signal to the last task.
const DRAIN: Duration = Duration::from_secs(10);

/// Something that runs beside the port until it is told to stop: a schedule, a queue's poller.
pub type Task = Box<dyn FnOnce(Arc<dyn Invoker>, CancellationToken) -> BoxFuture<()> + Send>;

/// Makes a trigger once the functions can be called.
pub type MakeMount = Box<dyn FnOnce(&Arc<dyn Invoker>) -> Arc<dyn Mount> + Send>;

/// What an application brings: its functions, and whatever else should run with them.
#[derive(Default)]
pub struct App {
    /// The functions, by the names of the template.
    pub registry: Registry,
    /// Lines for the banner.
    pub banner: Vec<String>,
    /// Calls the functions instead of the registry: as processes, say, or somewhere else.
    pub invoker: Option<Arc<dyn Invoker>>,
    /// Further triggers on the port, asked before the runner's own.
    pub mounts: Vec<MakeMount>,
    /// Further background tasks.
    pub tasks: Vec<Task>,
    /// Who knows the queues, for `/_runner/queues` and the command `queues`.
    pub queues: Option<Arc<dyn QueueDesk>>,
    /// What the command `task` can do.
    pub one_offs: Vec<OneOff>,
}

impl App {
    /// An application of functions only.
    #[must_use]
    pub fn of(registry: Registry) -> Self {
        Self { registry, ..Self::default() }
    }

    /// Adds a trigger on the port.
    pub fn mount<M: Mount>(&mut self, make: impl FnOnce(&Arc<dyn Invoker>) -> M + Send + 'static) {
        self.mounts.push(Box::new(|invoker| Arc::new(make(invoker))));
    }

    /// Adds a background task.
    pub fn task<F>(&mut self, task: impl FnOnce(Arc<dyn Invoker>, CancellationToken) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.push(Box::new(move |invoker, stop| Box::pin(task(invoker, stop))));
    }
}

/// A plan that is ready to run, before its functions are there.
pub struct Runner {
    /// What runs.
    pub plan: Arc<Plan>,
    /// The queue for `InvocationType: Event`; functions may hold it.
    pub asynchronous: AsyncInvoker,
    /// The open WebSockets; functions may push through them.
    pub connections: Connections,
    worker: Worker,
}

/// What tests and faults change; the default is what AWS does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Pauses between asynchronous attempts.
    pub pauses: Pauses,
    /// Limits and switches of the WebSocket API.
    pub websocket: websocket::Options,
}

impl Runner {
    /// Prepares a plan.
    #[must_use]
    pub fn new(plan: Plan, options: Options) -> Self {
        let (asynchronous, worker) = asynchronous::queue(&plan, options.pauses);
        let connections = Connections::new(options.websocket);
        Self { plan: Arc::new(plan), asynchronous, connections, worker }
    }

    /// Serves on `listener` until `stop`, then drains: no new requests, the running ones end, then the
    /// asynchronous queue, then every function that still runs.
    ///
    /// # Errors
    /// [`SelectionError`], before anything is served.
    pub async fn serve(
        self,
        listener: TcpListener,
        mut app: App,
        stop: CancellationToken,
    ) -> Result<(), SelectionError> {
        let port = listener.local_addr().map_or(0, |address| address.port());
        let invoker = self.invoker(&mut app);
        let mounts = self.mounts(app.mounts, app.queues, port, &invoker)?;

        let events = CancellationToken::new();
        let delivery = tokio::spawn(self.worker.run(Arc::clone(&invoker), events.clone()));
        let tasks = TaskTracker::new();
        for task in app.tasks {
            tasks.spawn(task(Arc::clone(&invoker), stop.clone()));
        }
        tasks.close();

        server::serve(listener, mounts, stop, DRAIN).await;
        let end = async {
            tasks.wait().await;
            // Only now: requests and tasks may enqueue until they end.
            events.cancel();
            let _ = delivery.await;
            invoker.drain().await;
        };
        if tokio::time::timeout(DRAIN, end).await.is_err() {
            tracing::warn!("functions were still running at the end");
        }
        Ok(())
    }

    /// Calls one function and nothing else, then delivers what it queued.
    ///
    /// # Errors
    /// What the function, or its absence, answers.
    pub async fn invoke(self, mut app: App, call: Invocation) -> Result<Bytes, InvokeError> {
        let invoker = self.invoker(&mut app);
        let stop = CancellationToken::new();
        let delivery = tokio::spawn(self.worker.run(Arc::clone(&invoker), stop.clone()));
        let reply = invoker.invoke(call).await;
        stop.cancel();
        if tokio::time::timeout(DRAIN, delivery).await.is_err() {
            tracing::warn!("asynchronous invocations were still running at the end");
        }
        invoker.drain().await;
        reply
    }

    fn invoker(&self, app: &mut App) -> Arc<dyn Invoker> {
        if let Some(invoker) = app.invoker.take() {
            return invoker;
        }
        let in_process = InProcess::new(&self.plan, &app.registry);
        for name in in_process.without_handler() {
            tracing::warn!(function = name, "in the template, but not linked into this runner");
        }
        Arc::new(in_process)
    }

    /// In the order in which they are asked: the HTTP API claims whatever is left.
    fn mounts(
        &self,
        further: Vec<MakeMount>,
        queues: Option<Arc<dyn QueueDesk>>,
        port: u16,
        invoker: &Arc<dyn Invoker>,
    ) -> Result<server::Mounts, SelectionError> {
        let mut mounts: Vec<Arc<dyn Mount>> = further.into_iter().map(|make| make(invoker)).collect();
        if let Some(desk) = queues {
            mounts.push(Arc::new(QueuesMount(desk)));
        }
        let invoke = InvokeApi::new(&self.plan, Arc::clone(invoker), self.asynchronous.clone());
        mounts.push(Arc::new(invoke));
        if let Some(api) = &self.plan.websocket {
            mounts.push(Arc::new(ConnectionsApi::new(self.connections.clone())));
            let connections = self.connections.clone();
            mounts.push(Arc::new(WebSocketApi::new(api, connections, port, Arc::clone(invoker))?));
        }
        if let Some(api) = &self.plan.http {
            mounts.push(Arc::new(HttpApi::new(&self.plan, api, port, Arc::clone(invoker))));
        }
        Ok(mounts.into())
    }
}
