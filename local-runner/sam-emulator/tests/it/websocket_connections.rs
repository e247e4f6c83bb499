//! `@connections` over HTTP, as the SDK uses it, and the same operations through the handle.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sam_emulator::websocket::{Gone, PostError};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::socket_server::{Setup, SocketServer, ok, receive, receive_close};

fn encoded(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_post_is_accepted_under_every_form_of_the_path() {
    let server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    for path in [
        format!("/live/@connections/{id}"),
        format!("/live/%40connections/{}", encoded(&id)),
        format!("/@connections/{}", encoded(&id)),
        format!("/socket.io/@connections/{id}"),
        format!("/any-stage/%40connections/{id}"),
    ] {
        let response = server.http(&format!("POST {path}"), path.as_bytes()).await;
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\n"),
            "{path}: {response}"
        );
        assert_eq!(receive(&mut client).await, Message::text(path));
    }
}

#[tokio::test]
async fn get_describes_a_connection_and_delete_closes_it() {
    let mut server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    let response = server.http(&format!("GET /live/@connections/{id}"), b"").await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["identity"]["sourceIp"], "127.0.0.1");
    for field in ["connectedAt", "lastActiveAt"] {
        let at = body[field].as_str().unwrap();
        assert!(at.len() == "2024-02-09T18:23:27.396Z".len() && at.ends_with('Z'), "{at}");
    }
    let response = server.http(&format!("DELETE /live/@connections/{id}"), b"").await;
    assert!(response.starts_with("HTTP/1.1 204"), "{response}");
    assert_eq!(receive_close(&mut client).await.0, 1000);
    drop(client);
    assert_eq!(server.disconnect().await.0, 1000);
    for method in ["GET", "POST", "DELETE"] {
        assert_gone(&server, method, &id).await;
    }
}

/// Asserts a 410 with the exception's header and an empty body, which the SDK's parser needs.
async fn assert_gone(server: &SocketServer, method: &str, id: &str) {
    let response = server.http(&format!("{method} /live/@connections/{id}"), b"").await;
    assert!(
        response.starts_with("HTTP/1.1 410 Gone\r\n") && response.ends_with("\r\n\r\n"),
        "{method}: {response}"
    );
    assert!(response.contains("x-amzn-errortype: GoneException\r\n"), "{method}: {response}");
    assert!(response.contains("x-amzn-requestid: "), "{method}: {response}");
}

#[tokio::test]
async fn an_error_has_the_status_and_the_type_of_its_exception() {
    let server = SocketServer::accepting().await;
    let (_client, id) = server.connect().await;
    let large = vec![b'x'; 128 * 1024 + 1];
    for (request, body, status, kind) in [
        (format!("POST /live/@connections/{id}"), &large[..], "413", "PayloadTooLargeException"),
        ("POST /live/@connections/L0SM9cOFvHcCIhw=".to_owned(), b"x", "410", "GoneException"),
        ("POST /live/@connections/a%20b".to_owned(), b"x", "400", "BadRequestException"),
        (format!("POST /live/@connections/{}", "a".repeat(200)), b"x", "400", "BadRequestException"),
        (format!("POST /live/@connections/{id}/x"), b"x", "400", "BadRequestException"),
        ("POST /live/@connections/".to_owned(), b"x", "403", "ForbiddenException"),
        (format!("PUT /live/@connections/{id}"), b"x", "403", "ForbiddenException"),
    ] {
        let response = server.http(&request, body).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {response}");
        assert!(response.contains(&format!("x-amzn-errortype: {kind}\r\n")), "{request}: {response}");
        let body = response.split_once("\r\n\r\n").unwrap().1;
        assert!(body.is_empty() || serde_json::from_str::<Value>(body).unwrap().is_object(), "{body}");
    }
}

#[tokio::test]
async fn a_message_of_128_kb_is_accepted_and_one_byte_more_is_not() {
    let server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    let text = "x".repeat(128 * 1024);
    server.connections.post(&id, text.clone()).await.unwrap();
    assert_eq!(server.connections.post(&id, text.clone() + "x").await, Err(PostError::TooLarge));
    assert_eq!(receive(&mut client).await, Message::text(text));
}

#[tokio::test]
async fn messages_posted_before_a_delete_are_sent_in_order() {
    let server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    for number in 0..1_000 {
        server.connections.post(&id, number.to_string()).await.unwrap();
    }
    server.connections.delete(&id).await.unwrap();
    assert_eq!(server.connections.post(&id, "late").await, Err(PostError::Gone));
    assert_eq!(server.connections.delete(&id).await, Err(Gone));
    for number in 0..1_000 {
        assert_eq!(receive(&mut client).await, Message::text(number.to_string()));
    }
    assert_eq!(receive_close(&mut client).await.0, 1000);
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_replaced() {
    let server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    server.connections.post(&id, &b"a\xffb"[..]).await.unwrap();
    assert_eq!(receive(&mut client).await, Message::text("a\u{fffd}b"));
}

#[tokio::test]
async fn a_connection_is_gone_until_the_visibility_delay_has_passed() {
    let delay = Duration::from_millis(150);
    let server =
        SocketServer::start(Setup::options(|options| options.visibility_delay = delay), |_| async { ok() })
            .await;
    let (mut client, id) = server.connect().await;
    assert_gone(&server, "GET", &id).await;
    assert_gone(&server, "POST", &id).await;
    tokio::time::sleep(delay).await;
    server.connections.post(&id, "now").await.unwrap();
    assert_eq!(receive(&mut client).await, Message::text("now"));
}

#[tokio::test]
async fn a_post_is_accepted_as_soon_as_the_client_has_the_101_response() {
    let server = SocketServer::start(Setup::default(), |_| async { ok() }).await;
    for _ in 0..50 {
        let (mut client, id) = server.connect().await;
        server.connections.post(&id, "first").await.unwrap();
        assert_eq!(receive(&mut client).await, Message::text("first"));
    }
}
