//! A server for one test: the orders template with test functions, on a port of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::invoke::asynchronous::RetryDelays;
use sam_emulator::invoke::{Context, FunctionError, Invocation, Registry};
use sam_emulator::runner::RunnerOptions;
use sam_emulator::server::ServerOptions;
use sam_emulator::{Access, App, Runner, template};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running emulator with the orders template.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// A response: status, headers with lower-case names, body.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl TestResponse {
    /// All values of one header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The first value of one header, or `""`.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or("")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status, headers and body, without the headers that differ from run to run.
    pub(crate) fn stable(&self) -> String {
        const VARIABLE: [&str; 4] = ["date", "apigw-requestid", "x-amzn-requestid", "connection"];
        let headers = self.headers.iter().filter(|(name, _)| !VARIABLE.contains(&name.as_str()));
        let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{headers}\n{}\n", self.status, self.body)
    }
}

impl TestServer {
    /// Starts a server with [`functions`].
    pub(crate) async fn start() -> Self {
        Self::with(functions()).await
    }

    /// Starts a server with other functions.
    pub(crate) async fn with(registry: Registry) -> Self {
        // The host that the tests send.
        let access = Access { allowed_hosts: vec!["shop.test".parse().unwrap()], ..Access::default() };
        Self::with_options(App::of(registry), ServerOptions { access, ..ServerOptions::default() }).await
    }

    /// Starts a server with other functions and endpoints, and other rules and limits.
    pub(crate) async fn with_options(app: App, server: ServerOptions) -> Self {
        Self::start_app(include_str!("orders.yaml"), app, server).await
    }

    /// Starts a server with another template.
    pub(crate) async fn of(text: &str, registry: Registry) -> Self {
        let access = Access { allowed_hosts: vec!["shop.test".parse().unwrap()], ..Access::default() };
        Self::start_app(text, App::of(registry), ServerOptions { access, ..ServerOptions::default() }).await
    }

    async fn start_app(text: &str, app: App, server: ServerOptions) -> Self {
        let plan = template::read(text, &BTreeMap::new()).unwrap();
        let short = Duration::from_millis(20);
        let retry_delays =
            RetryDelays { after_errors: [short; 2], after_throttle: short, max_after_throttle: short };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let runner = Runner::new(plan, RunnerOptions { retry_delays, server, ..RunnerOptions::default() });
        let served = runner.serve(listener, app, stop.clone());
        let served = tokio::spawn(async move { served.await.unwrap() });
        Self { address, stop, served }
    }

    /// Sends bytes and reads until the server closes the connection.
    pub(crate) async fn send_bytes(&self, request: impl AsRef<[u8]>) -> TestResponse {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // A server that refuses a request may close before all of it is sent.
        let _ = socket.write_all(request.as_ref()).await;
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response).await;
        parse(&String::from_utf8_lossy(&response))
    }

    /// Sends one request on a new connection. `head` is `GET /path`, followed by lines with further headers.
    pub(crate) async fn send(&self, head: &str, body: impl AsRef<[u8]>) -> TestResponse {
        let body = body.as_ref();
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers: String = headers.lines().map(|header| format!("{}\r\n", header.trim())).collect();
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head =
            format!("{line} HTTP/1.1\r\nhost: shop.test:80\r\nconnection: close\r\n{headers}{length}\r\n");
        self.send_bytes([head.as_bytes(), body].concat()).await
    }

    /// Starts the shutdown; the handle resolves when it is complete.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.cancel();
        self.served
    }
}

fn parse(text: &str) -> TestResponse {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    TestResponse { status, headers, body: body.to_owned() }
}

/// The test functions: `order-get` and `files` return the event, `order-create` does what the request's body
/// says.
pub(crate) fn functions() -> Registry {
    let mut registry = Registry::default();
    registry.add("order-get", |call: Invocation, _| async move { Ok(call.payload) });
    registry.add("files", |call: Invocation, _| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        Ok(json_bytes(&json!({ "statusCode": 200, "body": event.to_string() })))
    });
    registry.add("order-create", order_create);
    registry.add("report-daily", |call: Invocation, _| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        if event["fail"] == true {
            return Err(FunctionError::new("ReportError", "no paper"));
        }
        Ok(json_bytes(&json!({ "event": event })))
    });
    registry
}

/// Replies with the request's body, unless it is one of these words.
async fn order_create(call: Invocation, context: Context) -> Result<Bytes, FunctionError> {
    let event: Value = serde_json::from_slice(&call.payload).unwrap();
    match event["body"].as_str().unwrap_or_default() {
        "panic" => panic!("out of stock"),
        "fail" => Err(FunctionError::new("OrderError", "no such thing")),
        "hang" => std::future::pending().await,
        "slow" => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(json_bytes(&json!({ "statusCode": 201, "body": context.request_id })))
        }
        "large" => Ok(json_bytes(&json!({ "body": "x".repeat(7 << 20) }))),
        "nothing" => Ok(Bytes::new()),
        text => Ok(Bytes::from(text.to_owned())),
    }
}

fn json_bytes(value: &Value) -> Bytes {
    value.to_string().into()
}
