//! A WebSocket API with one toy function behind all its routes, on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use sam_emulator::invoke::{FunctionError, InProcess, Registry};
use sam_emulator::mount::Mount;
use sam_emulator::plan::{FunctionPlan, Plan, WebSocketPlan, WebSocketRoutePlan};
use sam_emulator::server;
use sam_emulator::websocket::{Connections, ConnectionsApi, Options, WebSocketApi};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

/// The client's end.
pub(crate) type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Nothing in these tests takes so long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The API and what its function saw.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Connections,
    events: UnboundedReceiver<Value>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// How a world differs from the usual one.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) routes: Vec<&'static str>,
    pub(crate) replies: bool,
    pub(crate) timeout: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: Options { connects_per_second: None, ..Options::default() },
            routes: vec!["$connect", "$disconnect", "$default"],
            replies: false,
            timeout: Duration::from_secs(29),
        }
    }
}

impl Setup {
    pub(crate) fn options(change: impl FnOnce(&mut Options)) -> Self {
        let mut setup = Self::default();
        change(&mut setup.options);
        setup
    }
}

/// The reply that accepts and says nothing.
pub(crate) fn ok() -> Result<Value, FunctionError> {
    Ok(json!({ "statusCode": 200 }))
}

impl World {
    /// A world whose function accepts everything.
    pub(crate) async fn quiet() -> Self {
        Self::start(Setup::default(), |_| async { ok() }).await
    }

    pub(crate) async fn start<C, F>(setup: Setup, toy: C) -> Self
    where
        C: Fn(Value) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, FunctionError>> + Send + 'static,
    {
        let (sender, events) = unbounded_channel();
        let mut registry = Registry::default();
        registry.add("toy", move |call, _| {
            let event: Value = serde_json::from_slice(&call.payload).unwrap();
            let _ = sender.send(event.clone());
            let reply = toy(event);
            async move { Ok(reply.await?.to_string().into()) }
        });
        let api = api(&setup);
        let plan = Plan {
            functions: [("toy".to_owned(), function())].into(),
            websocket: Some(api.clone()),
            ..Plan::default()
        };
        let invoker = Arc::new(InProcess::new(&plan, &registry));
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Connections::new(setup.options);
        let websocket = WebSocketApi::new(&api, connections.clone(), address.port(), invoker).unwrap();
        let mounts: [Arc<dyn Mount>; 2] =
            [Arc::new(ConnectionsApi::new(connections.clone())), Arc::new(websocket)];
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::serve(listener, Arc::new(mounts), stop.clone(), PATIENCE));
        Self { address, connections, events, stop, server }
    }

    pub(crate) async fn connect(&self) -> (Client, String) {
        self.connect_to("/live").await.unwrap()
    }

    /// Connects; the id is the one that the 101 names.
    pub(crate) async fn connect_to(&self, path: &str) -> Result<(Client, String), Error> {
        let (client, response) = connect_async(format!("ws://{}{path}", self.address)).await?;
        Ok((client, response.headers()["x-amzn-connection-id"].to_str().unwrap().to_owned()))
    }

    /// The status and body with which an upgrade is refused.
    pub(crate) async fn refused(&self, path: &str) -> (u16, String) {
        match self.connect_to(path).await {
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), String::from_utf8(body).unwrap())
            }
            other => panic!("{path} was not refused: {other:?}"),
        }
    }

    /// The next event that the function got.
    pub(crate) async fn event(&mut self) -> Value {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").unwrap()
    }

    /// The next event, which must be of this type.
    pub(crate) async fn event_of(&mut self, kind: &str) -> Value {
        let event = self.event().await;
        assert_eq!(event["requestContext"]["eventType"], kind, "{event}");
        event
    }

    /// The close code and reason of the next event, which must be the disconnect.
    pub(crate) async fn disconnect(&mut self) -> (u64, String) {
        let event = self.event_of("DISCONNECT").await;
        let context = &event["requestContext"];
        let reason = context["disconnectReason"].as_str().unwrap().to_owned();
        (context["disconnectStatusCode"].as_u64().unwrap(), reason)
    }

    /// Asserts that no event is left or comes shortly.
    pub(crate) async fn no_more_events(&mut self) {
        let more = timeout(Duration::from_millis(50), self.events.recv()).await;
        // Late, or never: the world has ended.
        assert!(matches!(more, Err(_) | Ok(None)), "{more:?}");
    }

    /// Ends the server and waits for it.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.server).await.unwrap();
    }

    /// Sends one HTTP request as it is written and returns the whole answer.
    pub(crate) async fn http(&self, request: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: local\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses a large body may hang up before it is all sent.
        let _ = socket.write_all(body).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("an answer in time");
        String::from_utf8(answer).unwrap()
    }
}

fn api(setup: &Setup) -> WebSocketPlan {
    let route =
        WebSocketRoutePlan { function: "toy".to_owned(), timeout: setup.timeout, replies: setup.replies };
    WebSocketPlan {
        stage: "live".to_owned(),
        route_selection_expression: "$request.body.action".to_owned(),
        routes: setup.routes.iter().map(|key| ((*key).to_owned(), route.clone())).collect(),
    }
}

fn function() -> FunctionPlan {
    FunctionPlan {
        name: "toy".to_owned(),
        timeout: Duration::from_secs(20),
        memory_mb: 128,
        environment: [].into(),
        async_retries: 0,
        async_max_age: Duration::from_secs(60),
        reserved_concurrency: None,
        binary: "toy".to_owned(),
    }
}

/// Sends text.
pub(crate) async fn say(client: &mut Client, text: impl Into<String>) {
    client.send(Message::text(text.into())).await.unwrap();
}

/// The next message.
pub(crate) async fn hear(client: &mut Client) -> Message {
    timeout(PATIENCE, client.next()).await.expect("a message in time").expect("an open line").unwrap()
}

/// The code and reason with which the server closes, after any text it still sends.
pub(crate) async fn closed(client: &mut Client) -> (u16, String) {
    loop {
        match hear(client).await {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
