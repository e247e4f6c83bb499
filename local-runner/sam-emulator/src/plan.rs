//! What the template asks for, in the runner's own words: functions and the triggers that call them.
//! No YAML here, no sockets: a value that every trigger reads and nobody changes.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that one template asks the platform to run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The pretended account and region, for ARNs.
    pub account: Account,
    /// Functions by name; the name is `FunctionName`, or the logical id when that is absent.
    pub functions: BTreeMap<String, FunctionPlan>,
    /// The HTTP API, when any function has an `HttpApi` event.
    pub http: Option<HttpApiPlan>,
    /// The WebSocket API, when the template has one.
    pub websocket: Option<WebSocketPlan>,
    /// `Schedule` and `ScheduleV2` events.
    pub schedules: Vec<SchedulePlan>,
    /// `MQ` events.
    pub queues: Vec<QueuePlan>,
}

/// The account and region that ARNs and events name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `AWS::AccountId`.
    pub id: String,
    /// `AWS::Region`.
    pub region: String,
}

impl Default for Account {
    fn default() -> Self {
        Self { id: "123456789012".to_owned(), region: "us-east-1".to_owned() }
    }
}

impl Account {
    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    /// The ARN of a function.
    #[must_use]
    pub fn function_arn(&self, name: &str) -> String {
        self.arn("lambda", &format!("function:{name}"))
    }
}

/// One `AWS::Serverless::Function`.
#[derive(Debug, Clone)]
pub struct FunctionPlan {
    /// The name it is invoked by.
    pub name: String,
    /// `Timeout`; Lambda's default is 3 s.
    pub timeout: Duration,
    /// `MemorySize` in MB; Lambda's default is 128.
    pub memory_mb: u32,
    /// `Environment.Variables`, Globals merged in, intrinsics resolved.
    pub environment: BTreeMap<String, String>,
    /// `EventInvokeConfig.MaximumRetryAttempts` for asynchronous invokes, 0–2 (default 2).
    pub async_retries: u32,
    /// `EventInvokeConfig.MaximumEventAgeInSeconds` (default 6 h).
    pub async_max_age: Duration,
    /// `ReservedConcurrentExecutions`, if set.
    pub reserved_concurrency: Option<u32>,
    /// The binary's name: `Metadata.BuildProperties.Binary`, else the function's name.
    pub binary: String,
}

/// The HTTP API (payload format 2.0) and its routes.
#[derive(Debug, Clone, Default)]
pub struct HttpApiPlan {
    /// `$default` unless the template names a stage.
    pub stage: String,
    /// `METHOD /path/{param}` → function, in template order.
    pub routes: Vec<HttpRoutePlan>,
    /// `CorsConfiguration`, if any.
    pub cors: Option<CorsPlan>,
}

/// One `HttpApi` event.
#[derive(Debug, Clone)]
pub struct HttpRoutePlan {
    /// Upper-case method, or `ANY`.
    pub method: String,
    /// `/a/{b}/{c+}`, or `$default` for the catch-all route.
    pub path: String,
    /// The function that answers.
    pub function: String,
    /// `TimeoutInMillis`, 50–30,000 (default 30,000).
    pub timeout: Duration,
    /// `1.0` or `2.0`.
    pub payload_format: String,
}

/// `CorsConfiguration` of an HTTP API.
#[derive(Debug, Clone, Default)]
pub struct CorsPlan {
    /// `*`, `https://*`, `http://*` or exact origins.
    pub allow_origins: Vec<String>,
    /// Methods, or `*`.
    pub allow_methods: Vec<String>,
    /// Header names, or `*`.
    pub allow_headers: Vec<String>,
    /// Header names.
    pub expose_headers: Vec<String>,
    /// Whether credentials are allowed.
    pub allow_credentials: bool,
    /// Seconds, if set.
    pub max_age: Option<u64>,
}

/// The WebSocket API (`AWS::Serverless::WebSocketApi`).
#[derive(Debug, Clone)]
pub struct WebSocketPlan {
    /// `StageName`; SAM's default is `default`.
    pub stage: String,
    /// `$request.body.action`, say.
    pub route_selection_expression: String,
    /// Route key (`$connect`, `$disconnect`, `$default`, …) → route.
    pub routes: BTreeMap<String, WebSocketRoutePlan>,
}

/// One route of the WebSocket API.
#[derive(Debug, Clone)]
pub struct WebSocketRoutePlan {
    /// The function that answers.
    pub function: String,
    /// `IntegrationTimeout`, 50 ms – 29 s (default 29 s).
    pub timeout: Duration,
    /// True only where the template has `RouteResponseSelectionExpression: $default` *and* a RouteResponse.
    pub replies: bool,
}

/// Which service fires a schedule; their events differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleKind {
    /// SAM `Schedule`: an EventBridge rule, UTC only.
    Rule,
    /// SAM `ScheduleV2`: EventBridge Scheduler, with a time zone.
    Scheduler,
}

/// One `Schedule` or `ScheduleV2` event.
#[derive(Debug, Clone)]
pub struct SchedulePlan {
    /// The rule's or schedule's name.
    pub name: String,
    /// The function it invokes, asynchronously.
    pub function: String,
    /// Rule or Scheduler.
    pub kind: ScheduleKind,
    /// `cron(…)`, `rate(…)` or `at(…)` as written.
    pub expression: String,
    /// IANA name; `UTC` by default.
    pub timezone: String,
    /// `Input`, which replaces the event.
    pub input: Option<String>,
    /// False when the template disables it.
    pub enabled: bool,
}

/// One `MQ` event: a RabbitMQ queue that feeds a function.
#[derive(Debug, Clone)]
pub struct QueuePlan {
    /// The event's logical id.
    pub name: String,
    /// The function it invokes, synchronously, one batch at a time.
    pub function: String,
    /// The one queue.
    pub queue: String,
    /// `VIRTUAL_HOST`, `/` by default.
    pub virtual_host: String,
    /// `BatchSize`, default 100.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`, default 500 ms.
    pub batching_window: Duration,
    /// The broker's ARN as in the event.
    pub broker_arn: String,
    /// False when the template disables it.
    pub enabled: bool,
}
