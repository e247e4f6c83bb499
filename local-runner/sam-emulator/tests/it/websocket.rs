//! The WebSocket API over real sockets: the events of a connection, routing, and the outcomes of messages.

use std::sync::Arc;
use std::time::Duration;

use sam_emulator::invoke::FunctionError;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use crate::raw_client::A_MOMENT;
use crate::socket_server::{Setup, SocketServer, ok, receive, receive_close, send};

#[tokio::test]
async fn a_connection_has_one_connect_and_one_disconnect_event() {
    let mut server = SocketServer::accepting().await;
    let (mut client, id) = server.connect_to("/live?token=a%20b").await.unwrap();
    let connect = server.event_of("CONNECT").await;
    assert_eq!(connect["requestContext"]["connectionId"], json!(id));
    assert_eq!(connect["queryStringParameters"], json!({ "token": "a b" }));
    send(&mut client, "hello").await;
    let message = server.event_of("MESSAGE").await;
    assert_eq!((&message["body"], &message["headers"]), (&json!("hello"), &json!(null)));
    server.connections.post(&id, "welcome").await.unwrap();
    assert_eq!(receive(&mut client).await, Message::text("welcome"));
    server.connections.delete(&id).await.unwrap();
    assert_eq!(receive_close(&mut client).await, (1000, "Connection Closed Normally".to_owned()));
    drop(client);
    assert_eq!(server.disconnect().await, (1000, "Connection Closed Normally".to_owned()));
    server.no_more_events().await;
    assert_eq!(server.connections.count(), 0);
}

/// The reply of the function to a message.
fn outcome(event: &Value) -> Result<Value, FunctionError> {
    match event["body"].as_str() {
        Some("fail") => Err(FunctionError::new("Boom", "it broke")),
        Some("nothing") => Ok(Value::Null),
        Some("reply") => Ok(json!({ "statusCode": 500, "body": "replied" })),
        Some("text-status") => Ok(json!({ "statusCode": "200", "body": "as text" })),
        Some("odd-status") => Ok(json!({ "statusCode": "ok", "body": "dropped" })),
        Some("base64") => Ok(json!({ "statusCode": 200, "body": "aGk=", "isBase64Encoded": true })),
        _ => ok(),
    }
}

#[tokio::test]
async fn the_reply_or_the_error_of_a_function_is_sent_as_a_frame() {
    for (replies, sent, received) in [
        (false, "fail", r#"{"message": "Internal server error","connectionId":"#),
        (false, "nothing", r#"{"message": "Internal server error","connectionId":"#),
        (true, "reply", "replied"),
        (true, "base64", "hi"),
        (true, "text-status", "as text"),
        (true, "odd-status", r#"{"message": "Internal server error","connectionId":"#),
    ] {
        let setup = Setup { replies, ..Setup::default() };
        let server = SocketServer::start(setup, |event| async move { outcome(&event) }).await;
        let (mut client, _) = server.connect().await;
        send(&mut client, sent).await;
        let text = receive(&mut client).await.into_text().unwrap();
        assert!(text.starts_with(received), "{sent}: {text}");
    }
}

#[tokio::test]
async fn a_reply_is_dropped_when_the_route_has_no_route_response() {
    let server = SocketServer::start(Setup::default(), |event| async move { outcome(&event) }).await;
    let (mut client, id) = server.connect().await;
    send(&mut client, "reply").await;
    send(&mut client, "fail").await;
    let text = receive(&mut client).await.into_text().unwrap();
    let (start, request_id) = text.split_once(r#","requestId":""#).unwrap();
    assert_eq!(start, format!(r#"{{"message": "Internal server error","connectionId":"{id}""#));
    assert_eq!(request_id.len(), 18, "{request_id}");
}

#[tokio::test]
async fn a_message_takes_the_selected_route_or_the_default_route() {
    let setup = Setup { routes: vec!["$connect", "$disconnect", "$default", "join"], ..Setup::default() };
    let mut server = SocketServer::start(setup, |_| async { ok() }).await;
    let (mut client, _) = server.connect().await;
    server.event_of("CONNECT").await;
    for (body, key) in [
        (r#"{"action":"join"}"#, "join"),
        (r#"{"action":"part"}"#, "$default"),
        (r#"{"action":"$connect"}"#, "$default"),
        (r#"{"action":"$disconnect"}"#, "$default"),
        (r#"{"action":"$default"}"#, "$default"),
        ("2", "$default"),
        ("not JSON", "$default"),
    ] {
        send(&mut client, body).await;
        assert_eq!(server.event_of("MESSAGE").await["requestContext"]["routeKey"], key, "{body}");
    }
}

#[tokio::test]
async fn a_message_without_a_route_is_forbidden_and_the_connection_stays_open() {
    let setup = Setup { routes: vec!["$connect", "join"], ..Setup::default() };
    let mut server = SocketServer::start(setup, |_| async { ok() }).await;
    let (mut client, _) = server.connect().await;
    server.event_of("CONNECT").await;
    send(&mut client, "hello").await;
    let text = receive(&mut client).await.into_text().unwrap();
    assert!(text.starts_with(r#"{"message":"Forbidden","connectionId":""#), "{text}");
    send(&mut client, r#"{"action":"join"}"#).await;
    server.event_of("MESSAGE").await;
}

#[tokio::test]
async fn a_message_that_times_out_is_answered_and_the_connection_stays_open() {
    let setup = Setup { timeout: Duration::from_millis(100), ..Setup::default() };
    let server = SocketServer::start(setup, |event| async move {
        if event["body"] == "hang" { std::future::pending().await } else { ok() }
    })
    .await;
    let (mut client, _) = server.connect().await;
    for _ in 0..2 {
        send(&mut client, "hang").await;
        let text = receive(&mut client).await.into_text().unwrap();
        assert!(text.starts_with(r#"{"message":"Endpoint request timed out","connectionId":""#), "{text}");
    }
}

/// A server whose function takes a permit of the semaphore for every message.
async fn gated(setup: Setup) -> (SocketServer, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let server = SocketServer::start(setup, move |event| {
        let held = Arc::clone(&held);
        async move {
            if event["body"].is_string() {
                held.acquire().await.unwrap().forget();
            }
            ok()
        }
    })
    .await;
    (server, gate)
}

#[tokio::test]
async fn messages_run_in_order_and_before_disconnect() {
    let (mut server, gate) = gated(Setup::options(|options| options.max_waiting_messages = 4)).await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    // More than the limit of waiting messages: the others stay in the socket and are not lost.
    for number in 0..40 {
        send(&mut client, number.to_string()).await;
    }
    assert_eq!(server.event_of("MESSAGE").await["body"], json!("0"));
    server.no_more_events().await;
    client.close(None).await.unwrap();
    gate.add_permits(40);
    for number in 1..40 {
        assert_eq!(server.event_of("MESSAGE").await["body"], json!(number.to_string()));
    }
    assert_eq!(server.disconnect().await.0, 1005);
    assert!(server.connections.get(&id).await.is_err());
    server.no_more_events().await;
}

#[tokio::test]
async fn messages_run_concurrently_up_to_the_option() {
    let (mut server, gate) = gated(Setup::options(|options| options.concurrent_messages = 3)).await;
    let (mut client, _) = server.connect().await;
    server.event_of("CONNECT").await;
    for number in 0..5 {
        send(&mut client, number.to_string()).await;
    }
    for _ in 0..3 {
        server.event_of("MESSAGE").await;
    }
    server.no_more_events().await;
    gate.add_permits(5);
    server.event_of("MESSAGE").await;
    server.event_of("MESSAGE").await;
}

#[tokio::test]
async fn data_in_either_direction_restarts_the_idle_timeout_and_pings_do_not() {
    let setup = Setup::options(|options| {
        options.idle_timeout = Duration::from_millis(400);
        options.close_timeout = A_MOMENT;
    });
    let mut server = SocketServer::start(setup, |_| async { ok() }).await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    for round in 0..8 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if round % 2 == 0 {
            server.connections.post(&id, "x").await.unwrap();
            receive(&mut client).await;
        } else {
            send(&mut client, "x").await;
            server.event_of("MESSAGE").await;
        }
    }
    let pinging = async {
        loop {
            futures::SinkExt::send(&mut client, Message::Ping("x".into())).await.unwrap();
            tokio::time::sleep(A_MOMENT).await;
        }
    };
    tokio::select! {
        () = pinging => {}
        closed = server.disconnect() => assert_eq!(closed.0, 1001),
    }
}
