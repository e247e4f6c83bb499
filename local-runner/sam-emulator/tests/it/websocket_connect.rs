//! The response to an upgrade request for each outcome of `$connect`.

use std::time::Duration;

use sam_emulator::invoke::FunctionError;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::raw_client::RawClient;
use crate::socket_server::{Setup, SocketServer, ok};

/// The outcome that the query asks for.
fn outcome(event: &Value) -> Result<Value, FunctionError> {
    let kind = event["queryStringParameters"]["do"].as_str().unwrap_or("accept");
    Ok(match kind {
        "accept" => json!({ "statusCode": 204 }),
        "text-status" => json!({ "statusCode": "403", "body": "no" }),
        "one-as-text" => json!({ "statusCode": "200", "headers": { "sec-websocket-protocol": "chat" } }),
        "deny" => json!({ "statusCode": 401, "body": "{\"code\":\"UNAUTHENTICATED\"}" }),
        "text" => json!({ "statusCode": 503, "body": "later" }),
        "redirect" => json!({ "statusCode": 302 }),
        "nothing" => Value::Null,
        "no-status" => json!({ "body": "hello" }),
        "odd-status" => json!({ "statusCode": 99 }),
        "switch" => json!({ "statusCode": 101 }),
        "fail" => return Err(FunctionError::new("Boom", "it broke")),
        "panic" => panic!("as asked"),
        "one" => json!({ "statusCode": 200, "headers": { "sec-websocket-protocol": "chat" } }),
        "many" => json!({ "statusCode": 200, "multiValueHeaders": { "Sec-WebSocket-Protocol": ["chat"] } }),
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn a_refusal_keeps_its_status_and_a_failure_is_502() {
    let mut server = SocketServer::start(Setup::default(), |event| async move { outcome(&event) }).await;
    let gateway_error = "\"Internal server error\"";
    for (kind, status, body) in [
        ("deny", 401, "{\"code\":\"UNAUTHENTICATED\"}"),
        ("text", 503, "later"),
        ("text-status", 403, "no"),
        ("redirect", 302, ""),
        ("nothing", 502, gateway_error),
        ("no-status", 502, gateway_error),
        ("odd-status", 502, gateway_error),
        ("switch", 502, gateway_error),
        ("fail", 502, gateway_error),
        ("panic", 502, gateway_error),
    ] {
        let (given, text) = server.refused(&format!("/live?do={kind}")).await;
        assert_eq!(given, status, "{kind}");
        assert!(text.contains(body), "{kind}: {text}");
        server.event_of("CONNECT").await;
    }
    // A refused upgrade has no $disconnect event.
    server.no_more_events().await;
}

#[tokio::test]
async fn the_sub_protocol_is_taken_from_either_header_map() {
    let server = SocketServer::start(Setup::default(), |event| async move { outcome(&event) }).await;
    for kind in ["one", "many", "one-as-text"] {
        let mut request = format!("ws://{}/live?do={kind}", server.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "other, chat".parse().unwrap());
        let (_client, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat", "{kind}");
    }
}

#[tokio::test]
async fn only_the_stage_and_the_mapping_keys_are_paths_of_the_api() {
    let server = SocketServer::accepting().await;
    for path in ["/live", "/live/", "/live?x=1", "/live/?EIO=4", "/socket.io/?EIO=4", "/socket.io", "/l%69ve"]
    {
        server.connect_to(path).await.unwrap();
    }
    for path in ["/", "/prod", "/live/more", "/live//", "/socket.io/x", "/livex", "/%zz"] {
        assert_eq!(server.refused(path).await, (403, r#"{"message":"Forbidden"}"#.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_malformed_upgrade_request_is_refused_before_connect() {
    let mut server = SocketServer::accepting().await;
    let valid = "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (from, to, status) in [
        ("Version: 13", "Version: 8", "426"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
        ("Connection: Upgrade", "Connection: close", "400"),
        ("GET", "POST", "400"),
    ] {
        let socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let mut client = RawClient { socket };
        client.send(valid.replace(from, to).as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{to}: {head}");
    }
    server.no_more_events().await;
}

#[tokio::test]
async fn every_connection_is_accepted_when_the_api_has_no_connect_route() {
    let setup = Setup { routes: vec!["$disconnect"], ..Setup::default() };
    let mut server = SocketServer::start(setup, |_| async { ok() }).await;
    let (client, _) = server.connect().await;
    drop(client);
    assert_eq!(server.disconnect().await.0, 1006);
}

#[tokio::test]
async fn a_connect_that_times_out_is_504() {
    let setup = Setup { timeout: Duration::from_millis(50), ..Setup::default() };
    let server = SocketServer::start(setup, |_| std::future::pending()).await;
    let (status, body) = server.refused("/live").await;
    assert_eq!(status, 504);
    assert!(body.starts_with(r#"{"message":"Endpoint request timed out","connectionId":""#), "{body}");
}

#[tokio::test]
async fn an_upgrade_over_the_rate_limit_is_429() {
    let setup = Setup::options(|options| options.connects_per_second = Some(1));
    let server = SocketServer::start(setup, |_| async { ok() }).await;
    let _first = server.connect().await;
    assert_eq!(server.refused("/live").await.0, 429);
}
