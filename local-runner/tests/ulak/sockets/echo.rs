//! The application of the protocols' official test suites, as functions of the emulator: an echo for Engine.IO, and
//! `auth`, `message` and `message-with-ack` for Socket.IO. Its timeouts are those of the suites.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use sam_emulator::invoke::asynchronous::AsyncInvoker;
use sam_emulator::invoke::{FunctionError, Invocation, Registry};
use sam_emulator::plan::{FunctionPlan, Plan, WebSocketPlan, WebSocketRoutePlan};
use sam_emulator::runner::RunnerOptions;
use sam_emulator::websocket::{Connections, PostError};
use sam_emulator::{App, Runner};
use serde_json::{Value, json};
use shared::connection::Dialect;
use shared::realtime::codec::engine_io::{self, OpenPacket};
use shared::realtime::codec::socket_io::{self, Kind, MAIN_NAMESPACE};
use shared::realtime::codec::upgrade;
use shared::realtime::ping::PingTimers;
use test_support::http_client::Port;
use tokio_util::sync::CancellationToken;

pub(super) const PING_INTERVAL: Duration = Duration::from_millis(300);
pub(super) const PING_TIMEOUT: Duration = Duration::from_millis(200);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
pub(super) const MAX_PAYLOAD: usize = 1_000_000;
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(10);
const NAMESPACES: [&str; 2] = [MAIN_NAMESPACE, "/custom"];

/// The protocol of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Every message is sent back.
    EngineIo,
    SocketIo,
}

/// A running server; it ends when the value is dropped.
pub(super) struct EchoServer {
    pub(super) port: Port,
    stop: CancellationToken,
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl EchoServer {
    pub(super) async fn start(protocol: Protocol) -> Self {
        let mut options = RunnerOptions::default();
        options.websocket.mapping_keys = vec!["engine.io".to_owned(), "socket.io".to_owned()];
        let runner = Runner::new(plan(), options);
        let server = Arc::new(Server {
            protocol,
            connections: runner.connections.clone(),
            asynchronous: runner.asynchronous.clone(),
            sessions: Mutex::default(),
        });
        let mut app = App::of(registry(&server));
        app.background_task(move |_, stop| async move {
            stop.run_until_cancelled(server.run_heartbeat()).await;
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(runner.serve(listener, app, stop.clone()));
        Self { port: Port(address.port()), stop }
    }
}

struct Session {
    opened: Instant,
    pinged: Instant,
    awaits_pong: bool,
    entered: HashSet<String>,
    ever_entered: bool,
}

struct Server {
    protocol: Protocol,
    connections: Connections,
    asynchronous: AsyncInvoker,
    sessions: Mutex<HashMap<String, Session>>,
}

impl Server {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap()
    }

    /// `$connect`: refuses other protocols, and starts the function that sends the open packet.
    fn connect(&self, event: &Value) -> u16 {
        let query = |name: &str| event["queryStringParameters"][name].as_str();
        if upgrade::dialect(query("EIO"), query("transport")) != Ok(Dialect::SocketIo) {
            return 400;
        }
        let id = id_of(event).to_owned();
        let now = Instant::now();
        let session = Session {
            opened: now,
            pinged: now,
            awaits_pong: false,
            entered: HashSet::new(),
            ever_entered: false,
        };
        self.sessions().insert(id.clone(), session);
        self.asynchronous.enqueue(Invocation::new("open", json!({ "id": id }).to_string()));
        200
    }

    async fn open(&self, event: &Value) {
        let id = event["id"].as_str().unwrap();
        let timers = PingTimers::new(PING_INTERVAL, PING_TIMEOUT).unwrap();
        let packet = OpenPacket::new(id, timers, MAX_PAYLOAD).encode();
        // The gateway does not know the connection until `$connect` has returned.
        while self.connections.post(id, packet.clone()).await == Err(PostError::Gone)
            && self.sessions().contains_key(id)
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn message(&self, event: &Value) {
        let id = id_of(event);
        match self.replies(id, event["body"].as_str().unwrap()) {
            Some(frames) => {
                for frame in frames {
                    let _ = self.connections.post(id, frame).await;
                }
            }
            None => {
                let _ = self.connections.delete(id).await;
            }
        }
    }

    /// The frames to send back; `None` to close the connection.
    fn replies(&self, id: &str, body: &str) -> Option<Vec<String>> {
        let mut sessions = self.sessions();
        let session = sessions.get_mut(id)?;
        match engine_io::parse(body).ok()? {
            engine_io::Packet::Pong => session.awaits_pong = false,
            engine_io::Packet::Close => return None,
            engine_io::Packet::Message(data) => {
                return match self.protocol {
                    Protocol::EngineIo => Some(vec![engine_io::message(data)]),
                    Protocol::SocketIo => packet(session, id, socket_io::parse(data).ok()?),
                };
            }
            engine_io::Packet::Upgrade | engine_io::Packet::Noop | engine_io::Packet::Binary(_) => {}
        }
        Some(Vec::new())
    }

    /// Pings all connections, and closes those that send no pong or connect to no namespace in time.
    async fn run_heartbeat(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT_INTERVAL).await;
            let (due, late) = self.due(Instant::now());
            for id in due {
                let _ = self.connections.post(&id, engine_io::PING).await;
            }
            for id in late {
                let _ = self.connections.delete(&id).await;
            }
        }
    }

    /// The connections to ping and those to close.
    fn due(&self, now: Instant) -> (Vec<String>, Vec<String>) {
        let (mut due, mut late) = (Vec::new(), Vec::new());
        for (id, session) in self.sessions().iter_mut() {
            let is_unresponsive = session.awaits_pong && now - session.pinged >= PING_TIMEOUT;
            let is_unconnected = self.protocol == Protocol::SocketIo && !session.ever_entered;
            if is_unresponsive || (is_unconnected && now - session.opened >= CONNECT_TIMEOUT) {
                late.push(id.clone());
            } else if now - session.pinged >= PING_INTERVAL {
                session.pinged = now;
                session.awaits_pong = true;
                due.push(id.clone());
            }
        }
        (due, late)
    }
}

/// The reference server's replies to one packet; `None` to close the connection.
fn packet(session: &mut Session, id: &str, packet: socket_io::Packet) -> Option<Vec<String>> {
    let socket_io::Packet { namespace, id: ack, kind } = packet;
    let entered = session.entered.contains(&namespace);
    match kind {
        Kind::Connect(_) if !NAMESPACES.contains(&namespace.as_str()) => {
            Some(vec![socket_io::connect_error(&namespace, "Invalid namespace", None::<&()>)])
        }
        Kind::Connect(auth) if !entered => {
            session.ever_entered = true;
            session.entered.insert(namespace.clone());
            let auth = Value::Object(auth.unwrap_or_default()).to_string();
            let event = socket_io::event(&namespace, None, "auth", &auth);
            Some(vec![socket_io::connect(&namespace, id), event])
        }
        Kind::Disconnect if entered => {
            session.entered.remove(&namespace);
            Some(Vec::new())
        }
        Kind::Event { name, args } if entered => {
            let args = args.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
            Some(match (name.as_str(), ack) {
                ("message", _) => vec![socket_io::event(&namespace, None, "message-back", &args)],
                ("message-with-ack", Some(ack)) => vec![socket_io::ack(&namespace, ack, &args)],
                _ => Vec::new(),
            })
        }
        _ => None,
    }
}

fn id_of(event: &Value) -> &str {
    event["requestContext"]["connectionId"].as_str().unwrap()
}

fn registry(server: &Arc<Server>) -> Registry {
    let mut registry = Registry::default();
    for name in ["connect", "message", "disconnect", "open"] {
        let server = Arc::clone(server);
        registry.add(name, move |call, _| {
            let server = Arc::clone(&server);
            async move {
                let event: Value = serde_json::from_slice(&call.payload).unwrap();
                let mut status = 200;
                match name {
                    "connect" => status = server.connect(&event),
                    "message" => server.message(&event).await,
                    "disconnect" => drop(server.sessions().remove(id_of(&event))),
                    _ => server.open(&event).await,
                }
                Ok::<_, FunctionError>(json!({ "statusCode": status }).to_string().into())
            }
        });
    }
    registry
}

fn plan() -> Plan {
    let second = Duration::from_secs(1);
    let route = |function: &str| WebSocketRoutePlan {
        function: function.to_owned(),
        timeout: 29 * second,
        replies: false,
    };
    let function = |name: &str| FunctionPlan {
        name: name.to_owned(),
        timeout: 20 * second,
        memory_mb: 128,
        environment: [].into(),
        async_retries: 0,
        async_max_age: 60 * second,
        reserved_concurrency: None,
        binary: name.to_owned(),
        code: Default::default(),
    };
    let names = ["connect", "message", "disconnect", "open"];
    Plan {
        functions: names.map(|name| (name.to_owned(), function(name))).into(),
        websocket: vec![WebSocketPlan {
            id: "Echo".to_owned(),
            authorizer: None,
            stage_variables: Default::default(),
            stage: "live".to_owned(),
            route_selection_expression: "$request.body.action".to_owned(),
            routes: [
                ("$connect".to_owned(), route("connect")),
                ("$default".to_owned(), route("message")),
                ("$disconnect".to_owned(), route("disconnect")),
            ]
            .into(),
        }],
        ..Plan::default()
    }
}
