//! Hostile requests: they are rejected quickly, do not affect other requests, and get no internal detail.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::http_client::HttpRequest;
use test_support::unique_name;

use crate::server::shared_server;

#[test]
fn operators_and_deeply_nested_json_are_rejected() {
    let server = shared_server();
    let ada = server.person();
    let login = |body: String| server.request("POST", "/api/auth/login").raw_json(body);
    login(r#"{"email":{"$gt":""},"password":{"$gt":""}}"#.to_owned()).fails(422, "VALIDATION_FAILED");
    login(r#"{"email":["a@b.co"],"password":["8 horses"]}"#.to_owned()).fails(422, "VALIDATION_FAILED");
    let deep = |count: usize| format!(r#"{{"email":{}{}}}"#, "[".repeat(count), "]".repeat(count));
    login(deep(100)).fails(422, "VALIDATION_FAILED");
    login(deep(20_000)).fails(400, "INVALID_JSON");
    let objects = format!("{}1{}", r#"{"a":"#.repeat(9_000), "}".repeat(9_000));
    login(objects).fails(400, "INVALID_JSON");
    let many: String = (0..5_000).map(|n| format!("\"f{n}\":1,")).collect();
    let answer = login(format!("{{{many}\"z\":1}}")).fails(422, "VALIDATION_FAILED");
    assert!(answer.body.len() < 4_096, "the reply is as long as the attack: {} bytes", answer.body.len());
    login(r#"{"email":1e999999999,"password":"x"}"#.to_owned()).send();
    ada.me();
}

/// A regular expression for e-mails can need exponential time for such input.
#[test]
fn hostile_email_is_rejected_quickly() {
    let server = shared_server();
    let fastest = |email: &str| {
        let form = json!({ "username": unique_name(), "email": email, "password": "8 horses" });
        let register = || {
            let begin = Instant::now();
            server.request("POST", "/api/auth/register").json(&form).fails(422, "VALIDATION_FAILED");
            begin.elapsed()
        };
        (0..3).map(|_| register()).min().unwrap()
    };
    for email in [
        format!("{}!", "a".repeat(60_000)),
        format!("{}@", "a.".repeat(30_000)),
        format!("a@{}", "a-".repeat(30_000)),
        format!("{}@example.com", "a@".repeat(30_000)),
        format!("a@{}", ".".repeat(60_000)),
    ] {
        let took = fastest(&email);
        assert!(took < Duration::from_millis(500), "{took:?} for {email:.10}…");
    }
}

#[test]
fn oversized_requests_are_rejected_by_the_gateway() {
    let server = shared_server();
    for (size, text) in
        [(10 * 1024 * 1024 + 1, "Request Entity Too Large"), (7 * 1024 * 1024, "Request Too Long")]
    {
        let answer = server.request("POST", "/api/auth/login").raw_json(vec![b'x'; size]).send();
        assert_eq!((answer.status, answer.text()), (413, format!(r#"{{"message":"{text}"}}"#)), "{size}");
    }
    let answer = server.request("GET", &format!("/api/auth/me?x={}", "y".repeat(11_000))).send();
    assert_eq!(answer.status, 431);
    let answer = server.request("GET", "/api/auth/me").bearer(&"y".repeat(11_000)).send();
    assert_eq!(answer.status, 431);
}

#[test]
fn nul_bytes_and_long_texts_are_rejected_by_field() {
    let (ada, bob, conversation) = shared_server().pair();
    let long = "x".repeat(30_000);
    for (body, fields) in [
        (json!({ "receiverId": format!("{}\u{0}", bob.id), "content": "x" }), vec!["receiverId"]),
        (json!({ "receiverId": long, "content": "x" }), vec!["receiverId"]),
        (json!({ "conversationId": long, "content": long }), vec!["conversationId", "content"]),
        (
            json!({ "conversationId": conversation, "content": "x", "clientMessageId": "a\u{0}" }),
            vec!["clientMessageId"],
        ),
        (
            json!({ "conversationId": conversation, "content": "x", "clientMessageId": long }),
            vec!["clientMessageId"],
        ),
    ] {
        let answer = ada.post("/api/messages/send", &body).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields);
    }
    let key = "clé 🔑 with \"quotes\" and $dots.";
    let body = json!({ "conversationId": conversation, "content": "x", "clientMessageId": key });
    assert_eq!(ada.post("/api/messages/send", &body).data(201)["message"]["clientMessageId"], key);
}

#[test]
fn malformed_http_ends_only_its_connection() {
    let server = shared_server();
    let port = server.port();
    for bytes in [
        &b"\0\0\0\0"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port.0)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{bytes:?}: {text}");
    }
    for path in ["/api/user/list?search=%", "/api/user/list?search=%zz", "/api/user/list?search=%ff%fe"] {
        let status = server.person().get(path).send().status;
        assert!(status < 500, "{path}: {status}");
    }
    HttpRequest::new(port, "GET", "/api/health").data(200);
}

#[test]
fn stalled_upload_does_not_block_other_requests() {
    let server = shared_server();
    let mut stuck = TcpStream::connect(("127.0.0.1", server.port().0)).unwrap();
    let head = b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stuck.write_all(head).unwrap();
    server.request("GET", "/api/health").data(200);
    drop(stuck);
    server.request("GET", "/api/health").data(200);
}
