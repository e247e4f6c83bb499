//! What each outcome of `$connect` makes of the upgrade.

use std::time::Duration;

use sam_emulator::invoke::FunctionError;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::websocket_raw::Raw;
use crate::websocket_world::{Setup, World, ok};

/// What the toy does when the query says so.
fn outcome(event: &Value) -> Result<Value, FunctionError> {
    let kind = event["queryStringParameters"]["do"].as_str().unwrap_or("accept");
    Ok(match kind {
        "accept" => json!({ "statusCode": 204 }),
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
async fn refusals_pass_their_status_through_and_failures_are_502() {
    let mut world = World::start(Setup::default(), |event| async move { outcome(&event) }).await;
    let own = "\"Internal server error\"";
    for (kind, status, body) in [
        ("deny", 401, "{\"code\":\"UNAUTHENTICATED\"}"),
        ("text", 503, "later"),
        ("redirect", 302, ""),
        ("nothing", 502, own),
        ("no-status", 502, own),
        ("odd-status", 502, own),
        ("switch", 502, own),
        ("fail", 502, own),
        ("panic", 502, own),
    ] {
        let (given, text) = world.refused(&format!("/live?do={kind}")).await;
        assert_eq!(given, status, "{kind}");
        assert!(text.contains(body), "{kind}: {text}");
        world.event_of("CONNECT").await;
    }
    // Nobody was connected, so nobody is disconnected.
    world.no_more_events().await;
}

#[tokio::test]
async fn the_chosen_protocol_is_echoed_from_either_map() {
    let world = World::start(Setup::default(), |event| async move { outcome(&event) }).await;
    for kind in ["one", "many"] {
        let mut request = format!("ws://{}/live?do={kind}", world.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "other, chat".parse().unwrap());
        let (_client, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat", "{kind}");
    }
}

#[tokio::test]
async fn only_the_stage_and_the_mapping_keys_lead_here() {
    let world = World::quiet().await;
    for path in ["/live", "/live/", "/live?x=1", "/live/?EIO=4", "/socket.io/?EIO=4", "/socket.io", "/l%69ve"]
    {
        world.connect_to(path).await.unwrap();
    }
    for path in ["/", "/prod", "/live/more", "/live//", "/socket.io/x", "/livex", "/%zz"] {
        assert_eq!(world.refused(path).await, (403, r#"{"message":"Forbidden"}"#.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_malformed_handshake_never_reaches_a_function() {
    let mut world = World::quiet().await;
    let good = "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (from, to, status) in [
        ("Version: 13", "Version: 8", "426"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
        ("Connection: Upgrade", "Connection: close", "400"),
        ("GET", "POST", "400"),
    ] {
        let socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let mut raw = Raw { socket };
        raw.send(good.replace(from, to).as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{to}: {head}");
    }
    world.no_more_events().await;
}

#[tokio::test]
async fn without_connect_everybody_is_accepted() {
    let setup = Setup { routes: vec!["$disconnect"], ..Setup::default() };
    let mut world = World::start(setup, |_| async { ok() }).await;
    let (client, _) = world.connect().await;
    drop(client);
    assert_eq!(world.disconnect().await.0, 1006);
}

#[tokio::test]
async fn a_connect_that_takes_too_long_is_504() {
    let setup = Setup { timeout: Duration::from_millis(50), ..Setup::default() };
    let world = World::start(setup, |_| std::future::pending()).await;
    let (status, body) = world.refused("/live").await;
    assert_eq!(status, 504);
    assert!(body.starts_with(r#"{"message":"Endpoint request timed out","connectionId":""#), "{body}");
}

#[tokio::test]
async fn too_many_at_once_are_429() {
    let setup = Setup::options(|options| options.connects_per_second = Some(1));
    let world = World::start(setup, |_| async { ok() }).await;
    let _first = world.connect().await;
    assert_eq!(world.refused("/live").await.0, 429);
}

#[tokio::test]
async fn who_leaves_while_connect_runs_is_disconnected_once() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let mut world = World::start(Setup::default(), move |_| {
        let mut wait = wait.clone();
        async move {
            wait.wait_for(|go| *go).await.unwrap();
            ok()
        }
    })
    .await;
    let raw = Raw::begin(world.address, "/live", b"").await;
    let connect = world.event_of("CONNECT").await;
    let id = connect["requestContext"]["connectionId"].as_str().unwrap();
    assert!(world.connections.get(id).await.is_err(), "not before $connect has returned");
    drop(raw);
    // The server must have seen the end of the line, or it would be tested less.
    tokio::time::sleep(crate::websocket_raw::A_MOMENT).await;
    go.send(true).unwrap();
    assert_eq!(world.disconnect().await.0, 1006);
    world.no_more_events().await;
    assert_eq!(world.connections.count(), 0);
}
