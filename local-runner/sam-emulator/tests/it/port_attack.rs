//! The bounds of the port: clients that send or read slowly hold neither connections nor memory for long, and
//! other clients are served meanwhile.

use std::time::Duration;

use sam_emulator::server::ServerOptions;
use sam_emulator::{Access, App};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::socket_server::{Setup, SocketServer, TIMEOUT, ok};
use crate::test_server::{TestServer, functions};

async fn server(change: impl FnOnce(&mut ServerOptions)) -> TestServer {
    let mut options = ServerOptions { access: Access::default(), ..ServerOptions::for_descriptors(1024) };
    change(&mut options);
    TestServer::with_options(App::of(functions()), options).await
}

async fn open(server: &TestServer, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Reads until the server closes the connection.
async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(TIMEOUT, socket.read_to_end(&mut bytes)).await.expect("the server closes in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn answers_within_a_second(server: &TestServer) {
    let response = timeout(Duration::from_secs(1), server.send("GET /orders/7", "")).await;
    assert_eq!(response.expect("an answer within a second").status, 200);
}

const HALF_HEAD: &[u8] = b"GET /orders/7 HTTP/1.1\r\nhost: x\r\nx-half";

#[tokio::test]
async fn half_sent_heads_beyond_the_limit_on_connections_do_not_block_other_clients() {
    let server = server(|options| options.max_connections = 40).await;
    let mut held = Vec::new();
    for _ in 0..120 {
        held.push(open(&server, HALF_HEAD).await);
    }
    answers_within_a_second(&server).await;
    assert_eq!(read_to_end(&mut held[0]).await, "", "the oldest was closed for a new one");
}

#[tokio::test]
async fn an_idle_connection_that_was_used_outlives_connections_that_never_sent_a_request() {
    let server = server(|options| options.max_connections = 20).await;
    let request = b"GET /orders/7 HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut honest = open(&server, request).await;
    let mut first = [0; 12];
    honest.read_exact(&mut first).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(open(&server, HALF_HEAD).await);
    }
    honest.write_all(request).await.unwrap();
    answers_within_a_second(&server).await;
    let mut buffer = vec![0; 64 * 1024];
    let mut text = String::new();
    while text.matches("apigw-requestid").count() < 2 {
        let count = timeout(TIMEOUT, honest.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(count, 0, "the honest connection was closed: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

#[tokio::test]
async fn a_half_sent_head_ends_after_its_own_short_limit_also_after_a_request() {
    let server = server(|options| options.head_timeout = Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert_eq!(read_to_end(&mut open(&server, HALF_HEAD).await).await, "");
    let mut used = open(&server, b"GET /orders/7 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    used.read_exact(&mut [0; 12]).await.unwrap();
    used.write_all(HALF_HEAD).await.unwrap();
    read_to_end(&mut used).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "idle connections live for a minute");
}

#[tokio::test]
async fn a_body_that_stops_arriving_ends_with_408_within_seconds() {
    let server = server(|_| {}).await;
    let head = b"POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nhalf";
    let begun = Instant::now();
    let response = read_to_end(&mut open(&server, head).await).await;
    assert!(response.starts_with("HTTP/1.1 408 ") && response.contains("connection: close"), "{response}");
    assert!(begun.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn held_back_bodies_use_no_more_than_the_memory_of_all_bodies_and_small_ones_still_pass() {
    let server = server(|options| options.body_memory = 2 << 20).await;
    let head = format!("POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 5 << 20);
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut socket = open(&server, head.as_bytes()).await;
        // The server stops reading when the memory is used.
        let most = vec![b'x'; 4 << 20];
        let _ = timeout(Duration::from_millis(200), socket.write_all(&most)).await;
        held.push(socket);
    }
    let small = server.send("POST /files/x\nContent-Type: text/plain", "x".repeat(50_000));
    let response = timeout(Duration::from_secs(1), small).await.expect("an answer within a second");
    assert_eq!(response.status, 200);
    answers_within_a_second(&server).await;
    let response = read_to_end(&mut held[0]).await;
    let is_given_up = ["HTTP/1.1 408 ", "HTTP/1.1 503 "].iter().any(|line| response.starts_with(line));
    assert!(is_given_up, "{response}");
}

#[tokio::test]
async fn a_client_that_reads_none_of_its_answer_loses_its_connection() {
    let server = server(|options| options.write_timeout = Duration::from_millis(200)).await;
    let body = "x".repeat(4 << 20);
    let request = format!(
        "POST /files/x HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = open(&server, request.as_bytes()).await;
    // More than the buffers of both sockets: a second answer cannot be written either.
    for _ in 0..4 {
        let _ = timeout(Duration::from_millis(100), socket.write_all(request.as_bytes())).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = timeout(TIMEOUT, async {
        loop {
            if let Err(error) = socket.write_all(b"x").await {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    error.await.expect("the connection is closed");
}

#[tokio::test]
async fn websockets_beyond_their_limit_are_refused_and_requests_are_still_served() {
    let mut setup = Setup::default();
    setup.server.max_sockets = 2;
    let server = SocketServer::start(setup, |_| async { ok() }).await;
    let first = server.connect().await;
    let _second = server.connect().await;
    assert_eq!(server.refused("/live").await.0, 429);
    assert!(server.http("GET /@connections/abc", b"").await.starts_with("HTTP/1.1 410 "));
    drop(first);
    let again = timeout(TIMEOUT, async {
        while server.connect_to("/live").await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    again.await.expect("a closed socket gives its place back");
}

#[tokio::test]
async fn half_sent_requests_do_not_hold_the_shutdown() {
    let server = server(|_| {}).await;
    let half_body = b"POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf";
    let half_upgrade = b"GET /live HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgr";
    let _held = [
        open(&server, b"").await,
        open(&server, HALF_HEAD).await,
        open(&server, half_body).await,
        open(&server, half_upgrade).await,
    ];
    answers_within_a_second(&server).await;
    let begun = Instant::now();
    server.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn frames_for_slow_sockets_use_no_more_than_their_memory_together_and_fast_ones_get_theirs() {
    let server = SocketServer::start(
        Setup::options(|options| {
            options.connects_per_second = None;
            options.max_total_queued_bytes = 1 << 20;
        }),
        |_| async { ok() },
    )
    .await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.connect().await);
    }
    let (mut fast, fast_id) = server.connect().await;
    // Nothing is written meanwhile: a post does not wait, and this thread runs all tasks.
    let frame = "x".repeat(40_000);
    let mut queued = 0;
    for (_, id) in &clients {
        while server.connections.post(id, frame.clone()).await.is_ok() {
            queued += frame.len();
        }
    }
    assert!(
        (10 * frame.len()..=1 << 20).contains(&queued),
        "{queued} bytes wait; one queue alone may hold 1 MB"
    );
    server.connections.post(&fast_id, "hello").await.unwrap();
    assert_eq!(crate::socket_server::receive(&mut fast).await.into_text().unwrap(), "hello");
}
