//! The emulator as a whole: a plan, an application's functions, one port, and an orderly shutdown.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address;
use crate::admin_task::AdminTask;
use crate::apis::{HttpApis, Prefixed, WebSocketApis};
use crate::backup::{Backup, BackupEndpoint};
use crate::endpoint::Endpoint;
use crate::http_api::HttpApi;
use crate::http_api::options::HttpApiOptions;
use crate::invoke::asynchronous::{self, AsyncInvoker, AsyncWorker, RetryDelays};
use crate::invoke::{BoxFuture, InProcess, Invocation, InvokeError, Invoker, Registry};
use crate::invoke_api::InvokeApi;
use crate::plan::Plan;
use crate::queues::{QueueAdmin, QueuesEndpoint};
use crate::server::{self, Listeners, ServerOptions};
use crate::websocket::selection::SelectionError;
use crate::websocket::{Connections, ConnectionsApi, WebSocketApi, WebSocketOptions};

/// Time for the server to finish its requests, and again for the functions and background tasks after it.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Work that runs beside the server until its token is cancelled, like a schedule or the poller of a queue.
pub type BackgroundTask = Box<dyn FnOnce(Arc<dyn Invoker>, CancellationToken) -> BoxFuture<()> + Send>;

/// Makes an endpoint once the functions can be invoked.
pub type MakeEndpoint = Box<dyn FnOnce(&Arc<dyn Invoker>) -> Arc<dyn Endpoint> + Send>;

/// What an application adds to the emulator: its functions, and anything else that runs with them.
#[derive(Default)]
pub struct App {
    /// The functions by the names of the template, for the invoker in this process.
    pub registry: Registry,
    /// Runs the functions instead of `registry`: in other processes, or elsewhere.
    pub invoker: Option<Arc<dyn Invoker>>,
    /// Lines for the banner of `serve`, without indentation.
    pub banner: Vec<String>,
    /// Pages for people, for the end of the banner. `--open` opens the first.
    pub pages: Vec<Page>,
    /// Endpoints that the server asks before the emulator's own.
    pub endpoints: Vec<MakeEndpoint>,
    /// Work beside the server.
    pub background_tasks: Vec<BackgroundTask>,
    /// The queues for `/_runner/queues` and the command `queues`; `None` when the application has none.
    pub queue_admin: Option<Arc<dyn QueueAdmin>>,
    /// Writes the backups of the command `backup`; `None` when no data is on this machine.
    pub backup: Option<Arc<dyn Backup>>,
    /// Work at the end of `serve`, after the last function, like closing a store.
    pub closers: Vec<BoxFuture<()>>,
    /// The tasks of the command `task`.
    pub admin_tasks: Vec<AdminTask>,
}

impl App {
    /// An application with functions and nothing else.
    #[must_use]
    pub fn of(registry: Registry) -> Self {
        Self { registry, ..Self::default() }
    }

    /// Adds an endpoint to the port.
    pub fn endpoint<E: Endpoint>(&mut self, make: impl FnOnce(&Arc<dyn Invoker>) -> E + Send + 'static) {
        self.endpoints.push(Box::new(|invoker| Arc::new(make(invoker))));
    }

    /// Adds work that runs beside the server until the token is cancelled. Shutdown waits for it, up to a
    /// limit.
    pub fn background_task<F>(
        &mut self,
        task: impl FnOnce(Arc<dyn Invoker>, CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.background_tasks.push(Box::new(move |invoker, stop| Box::pin(task(invoker, stop))));
    }
}

/// A page that is served at the emulator's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// What a person finds there, in a word or two.
    pub name: &'static str,
    /// The path, such as `/`.
    pub path: &'static str,
    /// What to try there, in one sentence.
    pub hint: &'static str,
}

/// A plan that is ready to run. Its functions come later, with the [`App`], because they may need these
/// handles.
pub struct Runner {
    /// The content of the template.
    pub plan: Arc<Plan>,
    /// Accepts asynchronous invocations (`InvocationType: Event`).
    pub asynchronous: AsyncInvoker,
    /// The open WebSocket connections, for pushing to them.
    pub connections: Connections,
    worker: AsyncWorker,
    http: HttpApiOptions,
    server: ServerOptions,
}

/// Times and limits of the emulator. The default is AWS's behaviour; tests change it.
#[derive(Debug, Clone, Default)]
pub struct RunnerOptions {
    /// Delays between the attempts of an asynchronous invocation.
    pub retry_delays: RetryDelays,
    /// Switches of the HTTP API.
    pub http: HttpApiOptions,
    /// Limits and switches of the WebSocket API.
    pub websocket: WebSocketOptions,
    /// Rules and limits of the port.
    pub server: ServerOptions,
}

impl Runner {
    /// Prepares a plan. Nothing runs yet.
    #[must_use]
    pub fn new(plan: Plan, options: RunnerOptions) -> Self {
        let (asynchronous, worker) = asynchronous::queue(&plan, options.retry_delays);
        let connections = Connections::new(options.websocket.clone());
        let RunnerOptions { http, server, .. } = options;
        Self { plan: Arc::new(plan), asynchronous, connections, worker, http, server }
    }

    /// Serves on `listeners` until `stop` is cancelled. Then it refuses new connections and waits, up to a
    /// limit, for open requests, background tasks, queued asynchronous invocations, and functions that still
    /// run.
    ///
    /// # Errors
    /// [`SelectionError`], before it serves anything.
    pub async fn serve(
        self,
        listeners: impl Into<Listeners>,
        app: App,
        stop: CancellationToken,
    ) -> Result<(), SelectionError> {
        let listeners = listeners.into();
        let port = listeners.local_addr().map_or(0, |address| address.port());
        let invoker = self.invoker(&app);
        let mut of_the_app = app.endpoints;
        if let Some(backup) = app.backup {
            of_the_app.push(Box::new(|_| Arc::new(BackupEndpoint(backup))));
        }
        let endpoints = self.endpoints(of_the_app, app.queue_admin, port, &invoker)?;

        let stop_worker = CancellationToken::new();
        let worker = tokio::spawn(self.worker.run(Arc::clone(&invoker), stop_worker.clone()));
        let tasks = TaskTracker::new();
        for task in app.background_tasks {
            tasks.spawn(task(Arc::clone(&invoker), stop.clone()));
        }
        tasks.close();

        server::serve(listeners, endpoints, self.server, stop, DRAIN_TIMEOUT).await;
        let drained = async {
            tasks.wait().await;
            // Requests and background tasks may add invocations until they end, so the worker stops after
            // them.
            stop_worker.cancel();
            let _ = worker.await;
            invoker.drain().await;
        };
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!("functions still running after the drain timeout");
        }
        let closed = futures::future::join_all(app.closers);
        if tokio::time::timeout(DRAIN_TIMEOUT, closed).await.is_err() {
            tracing::warn!("stores still open after the drain timeout");
        }
        Ok(())
    }

    /// Invokes one function without serving, then waits for the asynchronous invocations that it queued.
    ///
    /// # Errors
    /// The function failed or does not exist.
    pub async fn invoke(self, app: &App, call: Invocation) -> Result<Bytes, InvokeError> {
        let invoker = self.invoker(app);
        let stop = CancellationToken::new();
        let worker = tokio::spawn(self.worker.run(Arc::clone(&invoker), stop.clone()));
        let reply = invoker.invoke(call).await;
        stop.cancel();
        if tokio::time::timeout(DRAIN_TIMEOUT, worker).await.is_err() {
            tracing::warn!("asynchronous invocations still running after the drain timeout");
        }
        invoker.drain().await;
        reply
    }

    fn invoker(&self, app: &App) -> Arc<dyn Invoker> {
        if let Some(invoker) = &app.invoker {
            return Arc::clone(invoker);
        }
        let in_process = InProcess::new(&self.plan, &app.registry);
        for name in in_process.without_handler() {
            tracing::warn!(function = name, "function of the template has no handler in this program");
        }
        Arc::new(in_process)
    }

    /// The endpoints in the order in which the server asks them. The HTTP API matches every request, so it is
    /// last.
    fn endpoints(
        &self,
        of_the_app: Vec<MakeEndpoint>,
        queue_admin: Option<Arc<dyn QueueAdmin>>,
        port: u16,
        invoker: &Arc<dyn Invoker>,
    ) -> Result<server::Endpoints, SelectionError> {
        let mut endpoints: Vec<Arc<dyn Endpoint>> =
            of_the_app.into_iter().map(|make| make(invoker)).collect();
        if let Some(admin) = queue_admin {
            endpoints.push(Arc::new(QueuesEndpoint(admin)));
        }
        let invoke_api = InvokeApi::new(&self.plan, Arc::clone(invoker), self.asynchronous.clone());
        endpoints.push(Arc::new(invoke_api));
        let apis = Apis::new(&self.plan, &self.connections, port, self.http, invoker)?;
        endpoints.extend(apis.below_prefixes(&self.plan));
        if !apis.websocket.is_empty() {
            endpoints.push(Arc::new(ConnectionsApi::new(self.connections.clone())));
            endpoints.push(Arc::new(WebSocketApis(apis.websocket)));
        }
        endpoints.push(Arc::new(HttpApis(apis.http)));
        Ok(endpoints.into())
    }
}

/// The APIs of a plan, in its order.
struct Apis {
    http: Vec<HttpApi>,
    websocket: Vec<WebSocketApi>,
    connections: Connections,
}

impl Apis {
    fn new(
        plan: &Plan,
        connections: &Connections,
        port: u16,
        options: HttpApiOptions,
        invoker: &Arc<dyn Invoker>,
    ) -> Result<Self, SelectionError> {
        let http = plan.http.iter().map(|api| HttpApi::new(plan, api, port, Arc::clone(invoker), options));
        let websocket = plan.websocket.iter();
        let websocket =
            websocket.map(|api| WebSocketApi::new(plan, api, connections.clone(), port, Arc::clone(invoker)));
        Ok(Self {
            http: http.collect(),
            websocket: websocket.collect::<Result<_, _>>()?,
            connections: connections.clone(),
        })
    }

    /// The APIs that have a prefix because there are several of their kind.
    fn below_prefixes(&self, plan: &Plan) -> Vec<Arc<dyn Endpoint>> {
        let mut prefixed: Vec<Arc<dyn Endpoint>> = Vec::new();
        for (api, endpoint) in plan.websocket.iter().zip(&self.websocket) {
            let prefix = address::websocket_prefix(plan, api);
            let management = ConnectionsApi::new(self.connections.clone());
            let inner: Vec<Arc<dyn Endpoint>> = vec![Arc::new(management), Arc::new(endpoint.clone())];
            prefixed.extend((!prefix.is_empty()).then(|| Arc::new(Prefixed::new(prefix, inner)) as _));
        }
        for (api, endpoint) in plan.http.iter().zip(&self.http) {
            let prefix = address::http_prefix(plan, api);
            let inner: Vec<Arc<dyn Endpoint>> = vec![Arc::new(endpoint.clone())];
            prefixed.extend((!prefix.is_empty()).then(|| Arc::new(Prefixed::new(prefix, inner)) as _));
        }
        prefixed
    }
}
