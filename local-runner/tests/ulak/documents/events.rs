//! Every event happens as documented, in the plain JSON dialect and over Socket.IO.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use test_support::person::Person;
use test_support::socket_crowd::{now_millis, run_heartbeat};

use super::schema::asyncapi;
use crate::server::own_server;
use crate::sockets::socket_client::{SOCKET_IO, SocketClient};

/// The names of the events that the tests of this process have received.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Fails unless a frame that the server sent is documented, with every field. Every frame of a
/// [`SocketClient`] to Ulak passes here. Frames of the protocols below the events are not checked.
#[track_caller]
pub(crate) fn assert_documented(frame: &str) {
    let frame: Value = match frame.strip_prefix("42") {
        // Socket.IO: the name and the data.
        Some(event) => match serde_json::from_str::<Value>(event) {
            Ok(Value::Array(list)) => json!({ "event": list[0], "data": list.get(1) }),
            _ => return,
        },
        None if frame.starts_with('{') => serde_json::from_str(frame).unwrap(),
        None => return,
    };
    let Some(name) = frame["event"].as_str() else { return };
    // Which event it answers only the sender knows; `acks_have_the_documented_data` checks them.
    if name != "ack" {
        asyncapi().assert_valid(&format!("/components/messages/{name}_event/payload"), &frame);
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }
}

/// Sends an event and checks its ack.
async fn ask(client: &mut SocketClient, names: &[&str], data: &Value) -> Value {
    let mut ack = Value::Null;
    for name in names {
        client.send(&json!({ "action": name, "id": "1", "data": data }).to_string()).await;
        ack = client.receive_event("ack").await;
        assert_eq!(ack["data"]["ok"], true, "{name}: {ack}");
        asyncapi().assert_valid(&format!("/components/messages/{}_ack/payload", names[0]), &ack);
    }
    ack["data"]["data"].take()
}

fn documented(prefix: &str) -> BTreeSet<String> {
    let operations = asyncapi().json["operations"].as_object().unwrap().keys();
    operations.filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_documented_event_happens_and_acks_have_the_documented_data() {
    let server = own_server(&[]);
    let (ada, bob, room) = server.pair();
    let (mut a, mut b) = (SocketClient::json(&ada).await, SocketClient::json(&bob).await);
    let mut phone = SocketClient::json(&ada).await;
    a.receive_event("user_online").await;
    let in_room = json!({ "conversationId": room });
    ask(&mut b, &["join_room"], &json!(room)).await;
    ask(&mut a, &["join_room"], &in_room).await;
    ask(&mut a, &["online_users"], &Value::Null).await;
    let typing = json!({ "conversationId": room, "isTyping": true });
    ask(&mut a, &["typing", "typing_start", "typing_stop"], &typing).await;
    b.receive_event("typing").await;
    let sent = ask(&mut a, &["send_message"], &json!({ "conversationId": room, "content": "hello" })).await;
    b.receive_event("message_received").await;
    phone.receive_event("message_sent").await;
    let message = &sent["message"]["id"];
    let read = json!({ "conversationId": room, "messageId": message });
    ask(&mut b, &["message_read", "mark_as_read"], &read).await;
    a.receive_event("message_read").await;
    ask(&mut a, &["edit_message"], &json!({ "messageId": message, "content": "hello!" })).await;
    b.receive_event("message_updated").await;
    ask(&mut a, &["delete_message"], &json!({ "messageId": message })).await;
    b.receive_event("message_deleted").await;
    ask(&mut b, &["replay"], &json!({ "lastSeq": { (room.as_str()): 0 } })).await;
    ask(&mut b, &["leave_room"], &in_room).await;
    b.send(r#"{"action":"nonsense"}"#).await;
    b.receive_event("error").await;
    replay_incomplete(&ada, &bob, &room).await;
    for minute in 1..=5 {
        run_heartbeat(server.port(), now_millis(), minute);
    }
    a.receive_event("ping").await;
    bob.post("/api/auth/logout", &json!({})).data(200);
    b.receive_event("session_ended").await;
    a.receive_event("user_offline").await;

    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(seen, documented("send_"));
}

/// A replay is bounded to 500 messages.
async fn replay_incomplete(ada: &Person, bob: &Person, room: &str) {
    for number in 0..501 {
        ada.send(room, &number.to_string());
    }
    let mut client = SocketClient::open(bob.port, SOCKET_IO).await.unwrap().documented();
    client.receive_until("0{").await;
    let auth = json!({ "token": bob.access_token, "lastSeq": { room: 0 } });
    client.send(&format!("40{auth}")).await;
    client.receive_until(r#"42["replay_incomplete""#).await;
}

#[tokio::test]
async fn failed_events_are_answered_as_documented() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.001")]);
    let ada = server.person();
    let mut client = SocketClient::json(&ada).await;
    let names: BTreeSet<String> = documented("receive_");
    let ack_of = |name: &str| {
        let reply = &asyncapi().json["operations"][format!("receive_{name}")]["reply"];
        let reference = reply["messages"][0]["$ref"].as_str().unwrap();
        reference.rsplit('/').next().unwrap().to_owned()
    };
    let mut codes = BTreeSet::new();
    for name in &names {
        client.send(&json!({ "action": name, "id": 1, "data": [] }).to_string()).await;
        let ack = client.receive_event("ack").await;
        asyncapi().assert_valid(&format!("/components/messages/{}/payload", ack_of(name)), &ack);
        codes.extend(ack["data"]["error"]["code"].as_str().map(str::to_owned));
    }
    let expected = ["RATE_LIMITED", "VALIDATION_FAILED"].map(str::to_owned);
    assert_eq!(codes, BTreeSet::from(expected));
}
