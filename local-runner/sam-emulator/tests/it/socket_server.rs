//! A server with a WebSocket API for one test: one test function behind all routes, on a port of its own,
//! with its log captured.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use sam_emulator::endpoint::Endpoint;
use sam_emulator::invoke::{FunctionError, InProcess, Registry};
use sam_emulator::plan::{FunctionPlan, Plan, WebSocketPlan, WebSocketRoutePlan};
use sam_emulator::server::{self, ServerOptions};
use sam_emulator::websocket::{Connections, ConnectionsApi, WebSocketApi, WebSocketOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use tracing::subscriber::DefaultGuard;

use crate::captured_log::Log;

pub(crate) type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The longest wait for something that should happen at once.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// A running WebSocket API, the events that its function received, and its log.
pub(crate) struct SocketServer {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Connections,
    events: UnboundedReceiver<Value>,
    /// The number of events by type.
    received: Arc<Mutex<BTreeMap<String, usize>>>,
    log: Log,
    stop: CancellationToken,
    server: JoinHandle<()>,
    /// The tests run on one thread each, so this captures the log of the server's tasks and of no other test.
    _captures_log: DefaultGuard,
}

/// How a server differs from the default.
pub(crate) struct Setup {
    pub(crate) options: WebSocketOptions,
    pub(crate) routes: Vec<&'static str>,
    pub(crate) replies: bool,
    pub(crate) timeout: Duration,
    pub(crate) server: ServerOptions,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: WebSocketOptions { connects_per_second: None, ..WebSocketOptions::default() },
            routes: vec!["$connect", "$disconnect", "$default"],
            replies: false,
            timeout: Duration::from_secs(29),
            server: ServerOptions::default(),
        }
    }
}

impl Setup {
    pub(crate) fn options(change: impl FnOnce(&mut WebSocketOptions)) -> Self {
        let mut setup = Self::default();
        change(&mut setup.options);
        setup
    }
}

/// A line `connection closed` of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloseLine {
    pub(crate) connection_id: String,
    pub(crate) code: u64,
    pub(crate) reason: String,
}

/// A reply that accepts and has no body.
pub(crate) fn ok() -> Result<Value, FunctionError> {
    Ok(json!({ "statusCode": 200 }))
}

impl SocketServer {
    /// Starts a server whose function accepts everything.
    pub(crate) async fn accepting() -> Self {
        Self::start(Setup::default(), |_| async { ok() }).await
    }

    /// Starts a server with this function.
    pub(crate) async fn start<C, F>(setup: Setup, function: C) -> Self
    where
        C: Fn(Value) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, FunctionError>> + Send + 'static,
    {
        let log = Log::default();
        let captures_log = log.capture();
        let (sender, events) = unbounded_channel();
        let received = Arc::new(Mutex::new(BTreeMap::new()));
        let count = Arc::clone(&received);
        let mut registry = Registry::default();
        registry.add("function", move |call, _| {
            let event: Value = serde_json::from_slice(&call.payload).unwrap();
            let kind = event["requestContext"]["eventType"].as_str().unwrap().to_owned();
            *count.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
            let _ = sender.send(event.clone());
            let reply = function(event);
            async move { Ok(reply.await?.to_string().into()) }
        });
        let api = api(&setup);
        let plan = Plan {
            functions: [("function".to_owned(), function_plan())].into(),
            websocket: vec![api.clone()],
            ..Plan::default()
        };
        let invoker = Arc::new(InProcess::new(&plan, &registry));
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Connections::new(setup.options);
        let websocket = WebSocketApi::new(&plan, &api, connections.clone(), address.port(), invoker).unwrap();
        let endpoints: [Arc<dyn Endpoint>; 2] =
            [Arc::new(ConnectionsApi::new(connections.clone())), Arc::new(websocket)];
        let stop = CancellationToken::new();
        let server =
            tokio::spawn(server::serve(listener, Arc::new(endpoints), setup.server, stop.clone(), TIMEOUT));
        Self { address, connections, events, received, log, stop, server, _captures_log: captures_log }
    }

    pub(crate) async fn connect(&self) -> (Client, String) {
        self.connect_to("/live").await.unwrap()
    }

    /// Connects. Returns the client and the connection id of the 101 response.
    pub(crate) async fn connect_to(&self, path: &str) -> Result<(Client, String), Error> {
        let (client, response) = connect_async(format!("ws://{}{path}", self.address)).await?;
        Ok((client, response.headers()["x-amzn-connection-id"].to_str().unwrap().to_owned()))
    }

    /// The status and body of the response that refuses an upgrade.
    pub(crate) async fn refused(&self, path: &str) -> (u16, String) {
        match self.connect_to(path).await {
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), String::from_utf8(body).unwrap())
            }
            other => panic!("{path} was not refused: {other:?}"),
        }
    }

    /// The next event of the function.
    pub(crate) async fn event(&mut self) -> Value {
        timeout(TIMEOUT, self.events.recv()).await.expect("an event in time").unwrap()
    }

    /// The number of events of this type that the function has received so far.
    pub(crate) fn received(&self, kind: &str) -> usize {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).get(kind).copied().unwrap_or_default()
    }

    /// The next event of the function, which must be of this type.
    pub(crate) async fn event_of(&mut self, kind: &str) -> Value {
        let event = self.event().await;
        assert_eq!(event["requestContext"]["eventType"], kind, "{event}");
        event
    }

    /// The code and reason of the next event, which must be the disconnect. The gateway must have logged that
    /// close exactly once, with the same code.
    pub(crate) async fn disconnect(&mut self) -> (u64, String) {
        let event = self.event_of("DISCONNECT").await;
        let context = &event["requestContext"];
        let code = context["disconnectStatusCode"].as_u64().unwrap();
        let id = context["connectionId"].as_str().unwrap();
        let logged = self.close_lines().into_iter().filter(|line| line.connection_id == id);
        assert_eq!(logged.map(|line| line.code).collect::<Vec<_>>(), [code], "{event}");
        (code, context["disconnectReason"].as_str().unwrap().to_owned())
    }

    /// The lines `connection closed` so far.
    pub(crate) fn close_lines(&self) -> Vec<CloseLine> {
        let lines = self.log.lines().into_iter();
        lines
            .filter(|line| line["fields"]["message"] == "connection closed")
            .map(|line| {
                assert_eq!(line["level"], "INFO", "{line}");
                let field = |name: &str| line["fields"][name].as_str().unwrap().to_owned();
                CloseLine {
                    connection_id: field("connection_id"),
                    code: line["fields"]["code"].as_u64().unwrap(),
                    reason: field("reason"),
                }
            })
            .collect()
    }

    /// Asserts that the function has received no further event and receives none within a short time.
    pub(crate) async fn no_more_events(&mut self) {
        let more = timeout(Duration::from_millis(50), self.events.recv()).await;
        // An error is the timeout; `None` means that the server has stopped.
        assert!(matches!(more, Err(_) | Ok(None)), "{more:?}");
    }

    /// Stops the server and waits until it has stopped.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.server).await.unwrap();
    }

    /// Sends one HTTP request and returns the text of the response.
    pub(crate) async fn http(&self, request: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses a large body may close before all of it is sent.
        let _ = socket.write_all(body).await;
        let mut response = Vec::new();
        let _ = timeout(TIMEOUT, socket.read_to_end(&mut response)).await.expect("a response in time");
        String::from_utf8(response).unwrap()
    }
}

fn api(setup: &Setup) -> WebSocketPlan {
    let route = WebSocketRoutePlan {
        function: "function".to_owned(),
        timeout: setup.timeout,
        replies: setup.replies,
    };
    WebSocketPlan {
        id: "Socket".into(),
        authorizer: None,
        stage_variables: Default::default(),
        stage: "live".to_owned(),
        route_selection_expression: "$request.body.action".to_owned(),
        routes: setup.routes.iter().map(|key| ((*key).to_owned(), route.clone())).collect(),
    }
}

fn function_plan() -> FunctionPlan {
    FunctionPlan {
        name: "function".to_owned(),
        timeout: Duration::from_secs(20),
        memory_mb: 128,
        environment: [].into(),
        async_retries: 0,
        async_max_age: Duration::from_secs(60),
        reserved_concurrency: None,
        binary: "function".to_owned(),
        code: Default::default(),
    }
}

/// Sends a text message.
pub(crate) async fn send(client: &mut Client, text: impl Into<String>) {
    client.send(Message::text(text.into())).await.unwrap();
}

/// The next message from the server.
pub(crate) async fn receive(client: &mut Client) -> Message {
    timeout(TIMEOUT, client.next()).await.expect("a message in time").expect("an open connection").unwrap()
}

/// The code and reason of the server's close frame, after any text messages.
pub(crate) async fn receive_close(client: &mut Client) -> (u16, String) {
    loop {
        match receive(client).await {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
