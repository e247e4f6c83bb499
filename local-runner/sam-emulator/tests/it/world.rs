//! A world of its own for each test: the orders template with toy functions, on a port of its own, spoken to
//! in raw bytes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::invoke::asynchronous::Pauses;
use sam_emulator::invoke::{Context, FunctionError, Invocation, Registry};
use sam_emulator::runner::Options;
use sam_emulator::{App, Runner, template};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running orders service.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// What came back: the status line, the headers in lower case, the body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// All values of one header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or("")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status, headers that do not change between runs, and body.
    pub(crate) fn stable(&self) -> String {
        const CHANGING: [&str; 4] = ["date", "apigw-requestid", "x-amzn-requestid", "connection"];
        let headers = self.headers.iter().filter(|(name, _)| !CHANGING.contains(&name.as_str()));
        let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{headers}\n{}\n", self.status, self.body)
    }
}

impl World {
    /// Starts the service.
    pub(crate) async fn start() -> Self {
        Self::with(functions()).await
    }

    /// Starts the service with other functions.
    pub(crate) async fn with(registry: Registry) -> Self {
        let plan = template::read(include_str!("orders.yaml"), &BTreeMap::new()).unwrap();
        let short = Duration::from_millis(20);
        let pauses = Pauses { errors: [short; 2], throttle: short, throttle_max: short };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let runner = Runner::new(plan, Options { pauses, ..Options::default() });
        let served = runner.serve(listener, App::of(registry), stop.clone());
        let served = tokio::spawn(async move { served.await.unwrap() });
        Self { address, stop, served }
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // A server that refuses early may close before all is sent.
        let _ = socket.write_all(request.as_ref()).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        parse(&String::from_utf8_lossy(&answer))
    }

    /// One request on a connection of its own; `head` is `GET /path` with further header lines.
    pub(crate) async fn send(&self, head: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers: String = headers.lines().map(|header| format!("{}\r\n", header.trim())).collect();
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head =
            format!("{line} HTTP/1.1\r\nhost: shop.test:80\r\nconnection: close\r\n{headers}{length}\r\n");
        self.raw([head.as_bytes(), body].concat()).await
    }

    /// Asks the service to end; the handle resolves when it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.cancel();
        self.served
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}

/// Toy functions: `order-get` and `files` give the event back, `order-create` does what its body says.
pub(crate) fn functions() -> Registry {
    let mut registry = Registry::default();
    registry.add("order-get", |call: Invocation, _| async move { Ok(call.payload) });
    registry.add("files", |call: Invocation, _| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        Ok(reply(&json!({ "statusCode": 200, "body": event.to_string() })))
    });
    registry.add("order-create", obey);
    registry.add("report-daily", |call: Invocation, context: Context| async move {
        let event: Value = serde_json::from_slice(&call.payload).unwrap();
        if event["fail"] == true {
            return Err(FunctionError::new("ReportError", "no paper"));
        }
        Ok(reply(&json!({ "event": event, "arn": context.invoked_function_arn })))
    });
    registry
}

/// The body of the request is the reply, unless it is one of a few words.
async fn obey(call: Invocation, context: Context) -> Result<Bytes, FunctionError> {
    let event: Value = serde_json::from_slice(&call.payload).unwrap();
    match event["body"].as_str().unwrap_or_default() {
        "panic" => panic!("out of stock"),
        "fail" => Err(FunctionError::new("OrderError", "no such thing")),
        "hang" => std::future::pending().await,
        "slow" => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(reply(&json!({ "statusCode": 201, "body": context.request_id })))
        }
        "large" => Ok(reply(&json!({ "body": "x".repeat(7 << 20) }))),
        "nothing" => Ok(Bytes::new()),
        text => Ok(Bytes::from(text.to_owned())),
    }
}

fn reply(value: &Value) -> Bytes {
    value.to_string().into()
}
