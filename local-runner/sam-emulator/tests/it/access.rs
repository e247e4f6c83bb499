//! Who may use the management endpoints and open WebSockets, over real connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use sam_emulator::invoke::{BoxFuture, Registry};
use sam_emulator::queues::{QueueAdmin, QueueDepth, QueuesEndpoint};
use sam_emulator::schedule::{ManualRun, ManualRunEndpoint};
use sam_emulator::server::{Listeners, ServerOptions};
use sam_emulator::{Access, App, BoxError};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::captured_log::Log;
use crate::socket_server::{Setup, SocketServer, ok};
use crate::test_server::TestServer;

/// Queues that count how often they are used.
struct CountedQueues(Arc<AtomicU32>);

impl QueueAdmin for CountedQueues {
    fn depths(&self) -> BoxFuture<Result<Vec<QueueDepth>, BoxError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Vec::new()) })
    }

    fn replay_dead(&self) -> BoxFuture<Result<u64, BoxError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(0) })
    }
}

/// A server whose management endpoints count what they do.
async fn server(access: Access) -> (TestServer, Arc<AtomicU32>, UnboundedReceiver<ManualRun>) {
    let effects = Arc::new(AtomicU32::new(0));
    let mut registry = Registry::default();
    let counted = Arc::clone(&effects);
    registry.add("report-daily", move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(Bytes::from_static(b"{}")) }
    });
    let mut app = App::of(registry);
    let (sender, fired) = mpsc::unbounded_channel();
    app.endpoint(move |_| ManualRunEndpoint(sender));
    let queues = CountedQueues(Arc::clone(&effects));
    app.endpoint(move |_| QueuesEndpoint(Arc::new(queues)));
    let options = ServerOptions { access, ..ServerOptions::default() };
    (TestServer::with_options(app, options).await, effects, fired)
}

const INVOKE: &str = "/2015-03-31/functions/report-daily/invocations";

/// Every management endpoint with every method that has an effect, and with the types of body that a form or
/// a script may send without asking first.
fn requests() -> Vec<(String, &'static str)> {
    let fired = r#"{"schedule":"ReportNightly","at":"2026-01-01T00:00:00Z"}"#;
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
    ];
    let posts = [
        (INVOKE.to_owned(), "{}"),
        ("/_runner/queues".to_owned(), ""),
        ("/_runner/fired".to_owned(), fired),
        ("/live/@connections/abc%3D".to_owned(), "hello"),
    ];
    let typed = posts.iter().flat_map(|(path, body)| {
        types.map(|kind| (format!("POST {path} HTTP/1.1\r\ncontent-type: {kind}"), *body))
    });
    let others = [
        "GET /_runner/queues",
        "GET /live/@connections/abc",
        "DELETE /@connections/abc",
        "OPTIONS /_runner/fired",
    ];
    let events = format!("POST {INVOKE} HTTP/1.1\r\nx-amz-invocation-type: Event");
    let others = others.map(|line| (format!("{line} HTTP/1.1"), ""));
    typed.chain(others).chain([(events, "{}")]).collect()
}

async fn send(server: &TestServer, line: &str, headers: &str, body: &str) -> u16 {
    let length = body.len();
    let request =
        format!("{line}\r\n{headers}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    server.send_bytes(request).await.status
}

#[tokio::test]
async fn a_foreign_web_page_reaches_no_management_endpoint_and_is_logged_once_per_request() {
    let log = Log::default();
    let _captures = log.capture();
    let (server, effects, mut fired) = server(Access::default()).await;
    let port = server.address.port();
    let own = format!("127.0.0.1:{port}");
    let mut sent = 0;
    for headers in [
        format!("host: {own}\r\norigin: https://evil.example"),
        format!("host: {own}\r\norigin: http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("host: {own}\r\norigin: null"),
        format!("host: {own}\r\nsec-fetch-site: cross-site"),
        format!(
            "host: evil.example:{port}\r\norigin: http://evil.example:{port}\r\nsec-fetch-site: same-origin"
        ),
    ] {
        for (line, body) in requests() {
            assert_eq!(send(&server, &line, &headers, body).await, 403, "{line} {headers}");
            sent += 1;
            // The log is limited per minute; the counts below need every line.
            if sent <= 25 {
                let lines = log.lines();
                let refused = |line: &&Value| {
                    line["fields"]["message"].as_str().is_some_and(|text| text.starts_with("request refused"))
                };
                assert_eq!(lines.iter().filter(refused).count(), sent, "{line}");
            }
        }
    }
    assert!(log.lines().len() < 40, "a page cannot flood the log");
    assert_eq!(effects.load(Ordering::SeqCst), 0);
    assert!(fired.try_recv().is_err());
}

#[tokio::test]
async fn programs_and_allowed_hosts_reach_the_management_endpoints() {
    let allowed_hosts = vec!["app.test".parse().unwrap()];
    let (server, effects, mut fired) = server(Access { allowed_hosts, ..Access::default() }).await;
    let own = format!("host: 127.0.0.1:{}", server.address.port());
    for headers in [
        own.as_str(),
        "host: localhost",
        "host: app.test",
        "user-agent: no host",
        "host: localhost\r\norigin: http://localhost\r\nsec-fetch-site: same-origin",
        "host: localhost\r\norigin: https://app.test\r\nsec-fetch-site: cross-site",
    ] {
        for (line, body) in requests() {
            let status = send(&server, &line, headers, body).await;
            // 403 without a refusal is the answer of @connections to a method that it does not have.
            assert!(status != 403 || line.starts_with("OPTIONS"), "{line} {headers}");
        }
    }
    assert!(effects.load(Ordering::SeqCst) > 0 && fired.try_recv().is_ok());
}

/// An upgrade request from a page of another origin.
async fn upgrade(server: &SocketServer) -> String {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let request = "GET /live HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\nupgrade: websocket\r\n\
        connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    String::from_utf8(head.to_vec()).unwrap()
}

#[tokio::test]
async fn a_websocket_of_a_foreign_page_is_accepted_as_on_aws_unless_the_switch_is_on() {
    let server = SocketServer::accepting().await;
    assert_eq!(upgrade(&server).await, "HTTP/1.1 101");
    let mut setup = Setup::default();
    setup.server.access.check_websocket_origin = true;
    let server = SocketServer::start(setup, |_| async { ok() }).await;
    assert_eq!(upgrade(&server).await, "HTTP/1.1 403");
    assert_eq!(server.received("CONNECT"), 0);
}

#[tokio::test]
async fn both_loopback_addresses_are_open_by_default() {
    let listeners = Listeners::open(None, 0).await.unwrap();
    let port = listeners.local_addr().unwrap().port();
    for host in ["127.0.0.1", "::1"] {
        assert!(TcpStream::connect((host, port)).await.is_ok(), "{host}");
    }
    let taken = Listeners::open(None, port).await.unwrap_err().to_string();
    assert!(taken.starts_with(&format!("127.0.0.1:{port} is taken")), "{taken}");
}
