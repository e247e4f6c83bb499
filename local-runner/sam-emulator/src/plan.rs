//! The content of a template as plain data: functions and the triggers that call them. `template` builds it,
//! every trigger reads it, and nothing changes it afterwards.

mod authorizer;
mod notices;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

pub use self::authorizer::{AuthorizerPlan, IdentitySource, JwtPlan, LambdaAuthorizerPlan, RouteAuthorizer};
pub use self::notices::{Notices, OtherTrigger};

/// Everything that one template declares and the emulator runs.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The invented account and region, for ARNs and events.
    pub account: Account,
    /// Functions by name: `FunctionName`, or the logical id if that is absent.
    pub functions: BTreeMap<String, FunctionPlan>,
    /// HTTP APIs, REST APIs and function URLs, in template order.
    pub http: Vec<HttpApiPlan>,
    /// WebSocket APIs, in template order.
    pub websocket: Vec<WebSocketPlan>,
    /// `Schedule` and `ScheduleV2` events, in template order.
    pub schedules: Vec<SchedulePlan>,
    /// `MQ` events, in template order.
    pub queues: Vec<QueuePlan>,
    /// What the template declares and the emulator does not run.
    pub notices: Notices,
}

/// The AWS account and region that ARNs and events name. Nothing is looked up there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `AWS::AccountId`: twelve digits.
    pub id: String,
    /// `AWS::Region`, like `eu-central-1`.
    pub region: String,
}

impl Default for Account {
    /// Account 123456789012, AWS's own example, in us-east-1.
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

    /// `arn:aws:lambda:<region>:<account>:function:<name>`.
    #[must_use]
    pub fn function_arn(&self, name: &str) -> String {
        self.arn("lambda", &format!("function:{name}"))
    }
}

/// One `AWS::Serverless::Function`.
#[derive(Debug, Clone)]
pub struct FunctionPlan {
    /// The name in invocations and ARNs.
    pub name: String,
    /// `Timeout`; Lambda's default is 3 s.
    pub timeout: Duration,
    /// `MemorySize` in MB; Lambda's default is 128.
    pub memory_mb: u32,
    /// `Environment.Variables`, with Globals merged in and intrinsics resolved.
    pub environment: BTreeMap<String, String>,
    /// `EventInvokeConfig.MaximumRetryAttempts` of asynchronous invocations, 0–2 (default 2).
    pub async_retries: u32,
    /// `EventInvokeConfig.MaximumEventAgeInSeconds`, 60 s to 6 h (default 6 h).
    pub async_max_age: Duration,
    /// `ReservedConcurrentExecutions`: invocations at the same time; `None` is no limit.
    pub reserved_concurrency: Option<u32>,
    /// The name of the binary: `Metadata.BuildProperties.Binary`, or the function's name.
    pub binary: String,
    /// The function's code, for invokers that run it outside this process.
    pub code: CodePlan,
}

/// Where a function's code is and how Lambda would run it. Nothing here is checked against the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodePlan {
    /// The function's logical id in the template.
    pub logical_id: String,
    /// `CodeUri`, relative to the template's folder; `None` when it is absent or names an object in S3.
    pub uri: Option<String>,
    /// `Runtime`, like `provided.al2023`; empty when the template has none.
    pub runtime: String,
    /// `Handler`; empty when the template has none.
    pub handler: String,
    /// `Metadata.BuildProperties.Binary`, if the template names the binary.
    pub binary: Option<String>,
    /// Whether the code is in the template itself (`InlineCode`).
    pub is_inline: bool,
    /// Whether `PackageType` is `Image`: the code is a container image.
    pub is_image: bool,
}

/// The service that an API is one of. They differ in events, errors and CORS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpApiKind {
    /// An HTTP API of API Gateway.
    #[default]
    Http,
    /// A REST API of API Gateway.
    Rest,
    /// The URL of a function.
    FunctionUrl,
}

/// One HTTP API, REST API or function URL, and its routes.
#[derive(Debug, Clone, Default)]
pub struct HttpApiPlan {
    /// The logical id, which is also its `apiId`; of a function URL the function's.
    pub id: String,
    /// The service that it is one of.
    pub kind: HttpApiKind,
    /// `StageName`, `$default` by default.
    pub stage: String,
    /// `METHOD /path/{param}` → function, in template order.
    pub routes: Vec<HttpRoutePlan>,
    /// `CorsConfiguration`; `None` leaves CORS to the functions.
    pub cors: Option<CorsPlan>,
    /// `StageVariables`.
    pub stage_variables: BTreeMap<String, String>,
    /// Authorizers by name.
    pub authorizers: BTreeMap<String, AuthorizerPlan>,
}

/// One route: an `HttpApi` or `Api` event, an operation of an OpenAPI document, a resource of its own.
#[derive(Debug, Clone)]
pub struct HttpRoutePlan {
    /// The method in upper case, or `ANY`.
    pub method: String,
    /// `/a/{b}/{c+}`, or `$default` for the catch-all route.
    pub path: String,
    /// The name of the function that it invokes.
    pub function: String,
    /// `TimeoutInMillis`, 50 ms – 30 s (default 30 s).
    pub timeout: Duration,
    /// `PayloadFormatVersion`: `1.0` or `2.0` (the default); without meaning in REST APIs.
    pub payload_format: String,
    /// Who decides about callers; `None` lets everybody in.
    pub authorizer: Option<RouteAuthorizer>,
}

/// `CorsConfiguration` of an HTTP API.
#[derive(Debug, Clone, Default)]
pub struct CorsPlan {
    /// `AllowOrigins`: `*`, `https://*`, `http://*` or exact origins.
    pub allow_origins: Vec<String>,
    /// `AllowMethods`, in upper case, or `*`.
    pub allow_methods: Vec<String>,
    /// `AllowHeaders`: header names, or `*`.
    pub allow_headers: Vec<String>,
    /// `ExposeHeaders`: header names.
    pub expose_headers: Vec<String>,
    /// `AllowCredentials`; the reader refuses it together with the origin `*`.
    pub allow_credentials: bool,
    /// `MaxAge` in seconds, 0–86,400.
    pub max_age: Option<u64>,
}

/// One WebSocket API.
#[derive(Debug, Clone)]
pub struct WebSocketPlan {
    /// The logical id, which is also its `apiId`.
    pub id: String,
    /// `StageName`, `default` by default.
    pub stage: String,
    /// `RouteSelectionExpression`, like `$request.body.action`.
    pub route_selection_expression: String,
    /// Routes by route key: `$connect`, `$disconnect`, `$default`, or a key of the application.
    pub routes: BTreeMap<String, WebSocketRoutePlan>,
    /// The authorizer of `$connect`.
    pub authorizer: Option<AuthorizerPlan>,
    /// `StageVariables`.
    pub stage_variables: BTreeMap<String, String>,
}

/// One route of the WebSocket API.
#[derive(Debug, Clone)]
pub struct WebSocketRoutePlan {
    /// The name of the function that it invokes.
    pub function: String,
    /// `IntegrationTimeout`, 50 ms – 29 s (default 29 s).
    pub timeout: Duration,
    /// Whether the function's reply is sent to the client: the route has `RouteResponseSelectionExpression:
    /// $default`, and a `RouteResponse` exists for it (API Gateway guide,
    /// `apigateway-websocket-api-route-response`).
    pub replies: bool,
}

/// The service that runs a schedule. The two differ in grammar, time zone and event.
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
    /// `Name`, or `<function's logical id><event's logical id>`, as SAM names it.
    pub name: String,
    /// The name of the function that it invokes, asynchronously.
    pub function: String,
    /// `Schedule` or `ScheduleV2`.
    pub kind: ScheduleKind,
    /// `cron(…)`, `rate(…)` or `at(…)`, not parsed yet.
    pub expression: String,
    /// `ScheduleExpressionTimezone`: an IANA name, `UTC` by default.
    pub timezone: String,
    /// `Input`: the event that the function receives instead of the service's own.
    pub input: Option<String>,
    /// `StartDate` of a `ScheduleV2`: no run is before it, and a rate counts from it.
    pub start: Option<Timestamp>,
    /// `EndDate` of a `ScheduleV2`: no run is after it.
    pub end: Option<Timestamp>,
    /// False with `Enabled: false` or `State: DISABLED`.
    pub enabled: bool,
}

/// One `MQ` event: a RabbitMQ queue whose messages invoke a function.
#[derive(Debug, Clone)]
pub struct QueuePlan {
    /// The event's logical id.
    pub name: String,
    /// The name of the function that it invokes, synchronously, with one batch at a time.
    pub function: String,
    /// The one entry of `Queues`.
    pub queue: String,
    /// `VIRTUAL_HOST`, `/` by default.
    pub virtual_host: String,
    /// `BatchSize`: messages, 1–10,000 (default 100).
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`, 0–300 s (default 500 ms).
    pub batching_window: Duration,
    /// The broker's ARN, for the event's `eventSourceArn`.
    pub broker_arn: String,
    /// False with `Enabled: false` or `State: DISABLED`.
    pub enabled: bool,
}
