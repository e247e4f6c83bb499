//! Responses that are given before the request's body is read: the next request on the same connection is
//! answered, or the response has said `connection: close`.

use std::time::Duration;

use sam_emulator::server::ServerOptions;
use sam_emulator::{Access, App};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::socket_server::TIMEOUT;
use crate::test_server::{TestServer, functions};

/// Reads one response. Returns its head in lower case.
async fn response(socket: &mut TcpStream) -> String {
    let read = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a whole response, not a reset"));
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        socket.read_exact(&mut body).await.unwrap();
        head
    };
    timeout(TIMEOUT, read).await.expect("a response in time")
}

/// Requests that are answered without their body: the request line with headers, and the status.
const EARLY: [(&str, u16); 9] = [
    ("POST /nowhere HTTP/1.1", 404),
    ("POST /live/@connections/bad!id HTTP/1.1", 400),
    ("GET /live/@connections/abc%3D HTTP/1.1", 410),
    ("PUT /_runner/fired HTTP/1.1\r\norigin: https://evil.example", 404),
    ("POST /2015-03-31/functions/none/invocations HTTP/1.1", 404),
    ("POST /2015-03-31/functions/report-daily/invocations HTTP/1.1\r\nx-amz-invocation-type: DryRun", 204),
    ("POST /2015-03-31/functions/report-daily/invocations HTTP/1.1\r\norigin: https://evil.example", 403),
    ("OPTIONS /orders HTTP/1.1\r\norigin: https://shop.example\r\naccess-control-request-method: POST", 204),
    ("POST /files/x HTTP/1.1\r\nx-large: LARGE", 431),
];

async fn server() -> TestServer {
    let options = ServerOptions { access: Access::default(), ..ServerOptions::default() };
    TestServer::with_options(App::of(functions()), options).await
}

/// Sends a request with a body of `size` bytes, reads the response, and then uses the connection again.
async fn check(server: &TestServer, line: &str, size: usize, is_chunked: bool, status: u16) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let line = line.replace("LARGE", &"x".repeat(11_000));
    let body = "x".repeat(size);
    let request = if is_chunked {
        format!(
            "{line}\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
        )
    } else {
        format!("{line}\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n{body}")
    };
    // The whole request is accepted, whatever the response is: no broken pipe.
    timeout(TIMEOUT, socket.write_all(request.as_bytes())).await.unwrap().unwrap();
    let head = response(&mut socket).await;
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{line} {size}: {head}");
    if head.contains("connection: close") {
        assert!(size > 1 << 20, "{line} {size}: a small body is read");
        return;
    }
    let next = "GET /orders/7 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write_all(next.as_bytes()).await.unwrap();
    assert!(response(&mut socket).await.starts_with("http/1.1 200 "), "{line} {size}");
}

#[tokio::test]
async fn a_request_after_an_early_answer_is_answered_or_the_answer_says_close() {
    let server = server().await;
    for (line, status) in EARLY {
        for size in [1, 100_000, 1_000_000, 8_000_000] {
            for is_chunked in [false, true] {
                check(&server, line, size, is_chunked, status).await;
            }
        }
    }
    check(&server, "POST /files/x HTTP/1.1", 12_000_000, false, 413).await;
    check(&server, "POST /files/x HTTP/1.1", 12_000_000, true, 413).await;
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_not_asked_for_a_body_that_is_not_read() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let head =
        "POST /nowhere HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let head = response(&mut socket).await;
    assert!(head.starts_with("http/1.1 404 ") && head.contains("connection: close"), "{head}");
}

#[tokio::test]
async fn a_body_that_never_comes_delays_an_early_answer_only_briefly() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket
        .write_all(b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf")
        .await
        .unwrap();
    let head = timeout(Duration::from_secs(3), response(&mut socket)).await.expect("an early answer");
    assert!(head.starts_with("http/1.1 404 ") && head.contains("connection: close"), "{head}");
}
