//! The WebSocket API over real sockets: the life of a connection, and what each outcome looks like.

use std::sync::Arc;
use std::time::Duration;

use sam_emulator::invoke::FunctionError;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::websocket_raw::A_MOMENT;
use crate::websocket_world::{Setup, World, closed, hear, ok, say};

#[tokio::test]
async fn a_connection_lives_from_connect_to_disconnect() {
    let mut world = World::quiet().await;
    let (mut client, id) = world.connect_to("/live?token=a%20b").await.unwrap();
    let connect = world.event_of("CONNECT").await;
    assert_eq!(connect["requestContext"]["connectionId"], json!(id));
    assert_eq!(connect["queryStringParameters"], json!({ "token": "a b" }));
    say(&mut client, "hello").await;
    let message = world.event_of("MESSAGE").await;
    assert_eq!((&message["body"], &message["headers"]), (&json!("hello"), &json!(null)));
    world.connections.post(&id, "welcome").await.unwrap();
    assert_eq!(hear(&mut client).await, Message::text("welcome"));
    world.connections.delete(&id).await.unwrap();
    assert_eq!(closed(&mut client).await, (1000, "Connection Closed Normally".to_owned()));
    drop(client);
    assert_eq!(world.disconnect().await, (1000, "Connection Closed Normally".to_owned()));
    world.no_more_events().await;
    assert_eq!(world.connections.count(), 0);
}

#[tokio::test]
async fn the_peers_close_is_what_disconnect_says() {
    let mut world = World::quiet().await;
    let with = |code: u16, reason: &str| Some(CloseFrame { code: code.into(), reason: reason.into() });
    for (frame, code, reason) in [
        (None, 1005, "Client-side close frame status not set"),
        (with(1000, "bye"), 1000, "bye"),
        (with(1001, ""), 1001, ""),
        (with(4001, "own"), 4001, "own"),
    ] {
        let (mut client, _) = world.connect().await;
        world.event_of("CONNECT").await;
        client.close(frame).await.unwrap();
        assert_eq!(world.disconnect().await, (code, reason.to_owned()));
        assert!(matches!(hear(&mut client).await, Message::Close(_)), "the close is answered");
    }
}

/// What the toy does with a message.
fn outcome(event: &Value) -> Result<Value, FunctionError> {
    match event["body"].as_str() {
        Some("fail") => Err(FunctionError::new("Boom", "it broke")),
        Some("nothing") => Ok(Value::Null),
        Some("say") => Ok(json!({ "statusCode": 500, "body": "said" })),
        Some("base64") => Ok(json!({ "statusCode": 200, "body": "aGk=", "isBase64Encoded": true })),
        _ => ok(),
    }
}

#[tokio::test]
async fn outcomes_become_frames() {
    for (replies, said, heard) in [
        (false, "fail", r#"{"message": "Internal server error","connectionId":"#),
        (false, "nothing", r#"{"message": "Internal server error","connectionId":"#),
        (true, "say", "said"),
        (true, "base64", "hi"),
    ] {
        let setup = Setup { replies, ..Setup::default() };
        let world = World::start(setup, |event| async move { outcome(&event) }).await;
        let (mut client, _) = world.connect().await;
        say(&mut client, said).await;
        let text = hear(&mut client).await.into_text().unwrap();
        assert!(text.starts_with(heard), "{said}: {text}");
    }
}

#[tokio::test]
async fn without_a_route_response_bodies_are_dropped() {
    let world = World::start(Setup::default(), |event| async move { outcome(&event) }).await;
    let (mut client, id) = world.connect().await;
    say(&mut client, "say").await;
    say(&mut client, "fail").await;
    let text = hear(&mut client).await.into_text().unwrap();
    let (start, request_id) = text.split_once(r#","requestId":""#).unwrap();
    assert_eq!(start, format!(r#"{{"message": "Internal server error","connectionId":"{id}""#));
    assert_eq!(request_id.len(), 18, "{request_id}");
}

#[tokio::test]
async fn messages_go_to_the_route_they_select() {
    let setup = Setup { routes: vec!["$connect", "$disconnect", "$default", "join"], ..Setup::default() };
    let mut world = World::start(setup, |_| async { ok() }).await;
    let (mut client, _) = world.connect().await;
    world.event_of("CONNECT").await;
    for (body, key) in [
        (r#"{"action":"join"}"#, "join"),
        (r#"{"action":"part"}"#, "$default"),
        (r#"{"action":"$connect"}"#, "$default"),
        (r#"{"action":"$disconnect"}"#, "$default"),
        (r#"{"action":"$default"}"#, "$default"),
        ("2", "$default"),
        ("not JSON", "$default"),
    ] {
        say(&mut client, body).await;
        assert_eq!(world.event_of("MESSAGE").await["requestContext"]["routeKey"], key, "{body}");
    }
}

#[tokio::test]
async fn without_default_a_message_is_forbidden_and_the_line_stays() {
    let setup = Setup { routes: vec!["$connect", "join"], ..Setup::default() };
    let mut world = World::start(setup, |_| async { ok() }).await;
    let (mut client, _) = world.connect().await;
    world.event_of("CONNECT").await;
    say(&mut client, "hello").await;
    let text = hear(&mut client).await.into_text().unwrap();
    assert!(text.starts_with(r#"{"message":"Forbidden","connectionId":""#), "{text}");
    say(&mut client, r#"{"action":"join"}"#).await;
    world.event_of("MESSAGE").await;
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_told_and_the_line_stays() {
    let setup = Setup { timeout: Duration::from_millis(100), ..Setup::default() };
    let world = World::start(setup, |event| async move {
        if event["body"] == "hang" { std::future::pending().await } else { ok() }
    })
    .await;
    let (mut client, _) = world.connect().await;
    for _ in 0..2 {
        say(&mut client, "hang").await;
        let text = hear(&mut client).await.into_text().unwrap();
        assert!(text.starts_with(r#"{"message":"Endpoint request timed out","connectionId":""#), "{text}");
    }
}

/// A world in which messages wait for the semaphore.
async fn gated(setup: Setup) -> (World, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let world = World::start(setup, move |event| {
        let held = Arc::clone(&held);
        async move {
            if event["body"].is_string() {
                held.acquire().await.unwrap().forget();
            }
            ok()
        }
    })
    .await;
    (world, gate)
}

#[tokio::test]
async fn messages_run_in_order_and_all_of_them_before_disconnect() {
    let (mut world, gate) = gated(Setup::options(|options| options.pending_frames = 4)).await;
    let (mut client, id) = world.connect().await;
    world.event_of("CONNECT").await;
    // More than may wait: the rest stays in the socket and is not lost.
    for number in 0..40 {
        say(&mut client, number.to_string()).await;
    }
    assert_eq!(world.event_of("MESSAGE").await["body"], json!("0"));
    world.no_more_events().await;
    client.close(None).await.unwrap();
    gate.add_permits(40);
    for number in 1..40 {
        assert_eq!(world.event_of("MESSAGE").await["body"], json!(number.to_string()));
    }
    assert_eq!(world.disconnect().await.0, 1005);
    assert!(world.connections.get(&id).await.is_err());
    world.no_more_events().await;
}

#[tokio::test]
async fn the_switch_runs_messages_side_by_side() {
    let (mut world, gate) = gated(Setup::options(|options| options.frames_at_once = 3)).await;
    let (mut client, _) = world.connect().await;
    world.event_of("CONNECT").await;
    for number in 0..5 {
        say(&mut client, number.to_string()).await;
    }
    for _ in 0..3 {
        world.event_of("MESSAGE").await;
    }
    world.no_more_events().await;
    gate.add_permits(5);
    world.event_of("MESSAGE").await;
    world.event_of("MESSAGE").await;
}

#[tokio::test]
async fn idle_and_old_connections_are_cut() {
    let second = Duration::from_secs(1);
    for (idle, life) in [(second / 5, second * 60), (second * 60, second / 5)] {
        let setup = Setup::options(|options| (options.idle, options.life) = (idle, life));
        let mut world = World::start(setup, |_| async { ok() }).await;
        let (mut client, _) = world.connect().await;
        world.event_of("CONNECT").await;
        assert_eq!(closed(&mut client).await, (1001, "Going away".to_owned()));
        drop(client);
        assert_eq!(world.disconnect().await, (1001, "Going away".to_owned()));
    }
}

#[tokio::test]
async fn data_in_either_direction_keeps_a_connection_and_pings_do_not() {
    let setup = Setup::options(|options| {
        options.idle = Duration::from_millis(400);
        options.close_patience = A_MOMENT;
    });
    let mut world = World::start(setup, |_| async { ok() }).await;
    let (mut client, id) = world.connect().await;
    world.event_of("CONNECT").await;
    for round in 0..8 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if round % 2 == 0 {
            world.connections.post(&id, "x").await.unwrap();
            hear(&mut client).await;
        } else {
            say(&mut client, "x").await;
            world.event_of("MESSAGE").await;
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
        end = world.disconnect() => assert_eq!(end.0, 1001),
    }
}

#[tokio::test]
async fn the_end_of_the_server_sends_everybody_away() {
    let mut world = World::quiet().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(world.connect().await.0);
        world.event_of("CONNECT").await;
    }
    let listening = tokio::spawn(async move {
        for client in &mut clients {
            assert_eq!(closed(client).await.0, 1001);
            // Answers the close.
            let _ = futures::StreamExt::next(client).await;
        }
    });
    world.stop().await;
    for _ in 0..5 {
        assert_eq!(world.disconnect().await, (1001, "Going away".to_owned()));
    }
    world.no_more_events().await;
    listening.await.unwrap();
}
