//! `@connections` over HTTP, as the SDK reads it, and the same through the handle.

use std::time::Duration;

use sam_emulator::websocket::{Gone, PostError};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::websocket_world::{Setup, World, closed, hear, ok};

fn percent(id: &str) -> String {
    id.replace('=', "%3D").replace('-', "%2D").replace('_', "%5F")
}

#[tokio::test]
async fn every_form_of_the_path_posts() {
    let world = World::quiet().await;
    let (mut client, id) = world.connect().await;
    for path in [
        format!("/live/@connections/{id}"),
        format!("/live/%40connections/{}", percent(&id)),
        format!("/@connections/{}", percent(&id)),
        format!("/socket.io/@connections/{id}"),
        format!("/any-stage/%40connections/{id}"),
    ] {
        let answer = world.http(&format!("POST {path}"), path.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"),
            "{path}: {answer}"
        );
        assert_eq!(hear(&mut client).await, Message::text(path));
    }
}

#[tokio::test]
async fn get_describes_and_delete_closes() {
    let mut world = World::quiet().await;
    let (mut client, id) = world.connect().await;
    world.event_of("CONNECT").await;
    let answer = world.http(&format!("GET /live/@connections/{id}"), b"").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["identity"]["sourceIp"], "127.0.0.1");
    for field in ["connectedAt", "lastActiveAt"] {
        let at = body[field].as_str().unwrap();
        assert!(at.len() == "2024-02-09T18:23:27.396Z".len() && at.ends_with('Z'), "{at}");
    }
    let answer = world.http(&format!("DELETE /live/@connections/{id}"), b"").await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(closed(&mut client).await.0, 1000);
    drop(client);
    assert_eq!(world.disconnect().await.0, 1000);
    for method in ["GET", "POST", "DELETE"] {
        gone(&world, method, &id).await;
    }
}

/// Status, type header, and a body that the SDK's parser takes for nothing.
async fn gone(world: &World, method: &str, id: &str) {
    let answer = world.http(&format!("{method} /live/@connections/{id}"), b"").await;
    assert!(
        answer.starts_with("HTTP/1.1 410 Gone\r\n") && answer.ends_with("\r\n\r\n"),
        "{method}: {answer}"
    );
    assert!(answer.contains("x-amzn-errortype: GoneException\r\n"), "{method}: {answer}");
    assert!(answer.contains("x-amzn-requestid: "), "{method}: {answer}");
}

#[tokio::test]
async fn refusals_have_the_services_types() {
    let world = World::quiet().await;
    let (_client, id) = world.connect().await;
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
        let answer = world.http(&request, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert!(answer.contains(&format!("x-amzn-errortype: {kind}\r\n")), "{request}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert!(body.is_empty() || serde_json::from_str::<Value>(body).unwrap().is_object(), "{body}");
    }
}

#[tokio::test]
async fn the_largest_message_passes_and_one_byte_more_does_not() {
    let world = World::quiet().await;
    let (mut client, id) = world.connect().await;
    let text = "x".repeat(128 * 1024);
    world.connections.post(&id, text.clone()).await.unwrap();
    assert_eq!(world.connections.post(&id, text.clone() + "x").await, Err(PostError::TooLarge));
    assert_eq!(hear(&mut client).await, Message::text(text));
}

#[tokio::test]
async fn what_was_posted_before_a_delete_still_arrives_in_order() {
    let world = World::quiet().await;
    let (mut client, id) = world.connect().await;
    for number in 0..1_000 {
        world.connections.post(&id, number.to_string()).await.unwrap();
    }
    world.connections.delete(&id).await.unwrap();
    assert_eq!(world.connections.post(&id, "late").await, Err(PostError::Gone));
    assert_eq!(world.connections.delete(&id).await, Err(Gone));
    for number in 0..1_000 {
        assert_eq!(hear(&mut client).await, Message::text(number.to_string()));
    }
    assert_eq!(closed(&mut client).await.0, 1000);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced() {
    let world = World::quiet().await;
    let (mut client, id) = world.connect().await;
    world.connections.post(&id, &b"a\xffb"[..]).await.unwrap();
    assert_eq!(hear(&mut client).await, Message::text("a\u{fffd}b"));
}

#[tokio::test]
async fn the_fault_switch_hides_a_connection_for_a_while() {
    let delay = Duration::from_millis(150);
    let world =
        World::start(Setup::options(|options| options.visibility_delay = delay), |_| async { ok() }).await;
    let (mut client, id) = world.connect().await;
    gone(&world, "GET", &id).await;
    gone(&world, "POST", &id).await;
    tokio::time::sleep(delay).await;
    world.connections.post(&id, "now").await.unwrap();
    assert_eq!(hear(&mut client).await, Message::text("now"));
}

#[tokio::test]
async fn a_connection_can_be_posted_to_before_its_client_reads() {
    let world = World::start(Setup::default(), |_| async { ok() }).await;
    for _ in 0..50 {
        let (mut client, id) = world.connect().await;
        world.connections.post(&id, "first").await.unwrap();
        assert_eq!(hear(&mut client).await, Message::text("first"));
    }
}
