//! The JSON dialect: its frames, and its events compared with Socket.IO.

use expect_test::expect;
use serde_json::{Value, json};

use super::socket_client::{SOCKET_IO, SocketClient};
use crate::server::shared_server;

async fn request(client: &mut SocketClient, id: &Value, action: &str, data: &Value) -> Value {
    client.send(&json!({ "action": action, "id": id, "data": data }).to_string()).await;
    client.receive_event("ack").await
}

#[tokio::test]
async fn invalid_token_gets_401_at_the_upgrade() {
    let server = shared_server();
    let person = server.person();
    let revoked = server.person();
    revoked.post("/api/auth/logout", &json!({})).data(200);
    let refused = async |path: String| SocketClient::open(server.port(), &path).await.err().unwrap();
    for (path, code) in [
        ("/live".to_owned(), "UNAUTHENTICATED"),
        ("/live?token=".to_owned(), "UNAUTHENTICATED"),
        ("/live?token=garbage".to_owned(), "UNAUTHENTICATED"),
        (format!("/live?token={}x", person.access_token), "UNAUTHENTICATED"),
        (format!("/live?token={}", revoked.access_token), "TOKEN_REVOKED"),
    ] {
        let (status, body) = refused(path.clone()).await;
        assert_eq!(status, 401, "{path}: {body}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["code"], code, "{path}");
    }
    let wrong = [
        ("/socket.io/?EIO=3&transport=websocket", r#"{"code":5,"message":"Unsupported protocol version"}"#),
        ("/socket.io/?EIO=4&transport=polling", r#"{"code":0,"message":"Transport unknown"}"#),
    ];
    for (path, body) in wrong {
        assert_eq!(refused(path.to_owned()).await, (400, body.to_owned()));
    }
    assert_eq!(refused("/elsewhere".to_owned()).await.0, 403);
}

#[tokio::test]
async fn token_is_accepted_in_the_query_or_the_header() {
    let person = shared_server().person();
    let bearer = [("authorization", format!("Bearer {}", person.access_token))];
    let mut by_header = SocketClient::open_with(person.port, "/live", &bearer).await.unwrap();
    let greeting = by_header.receive_event("connected").await;
    assert_eq!(greeting["data"]["userId"], json!(person.id));
    assert!(greeting["data"]["connectionId"].is_string(), "{greeting}");
    SocketClient::json(&person).await;
}

#[tokio::test]
async fn ack_has_the_id_of_its_request() {
    let (ada, _bob, room) = shared_server().pair();
    let mut client = SocketClient::json(&ada).await;
    for id in [json!("1"), json!(""), json!("a \"quoted\" 😀"), json!(0), json!(-7), json!(1.5)] {
        let ack = request(&mut client, &id, "join_room", &json!(room)).await;
        assert_eq!(ack["id"], id);
        assert_eq!(
            (&ack["data"]["ok"], &ack["data"]["data"]["conversationId"]),
            (&json!(true), &json!(room))
        );
    }
    let refused = request(&mut client, &json!("2"), "send_message", &Value::Null).await;
    let envelope = &refused["data"];
    assert_eq!((&envelope["ok"], &envelope["error"]["code"]), (&json!(false), &json!("VALIDATION_FAILED")));
    assert_eq!(envelope["error"]["retryable"], json!(false));
}

#[tokio::test]
async fn invalid_frame_gets_an_error_and_the_socket_stays_open() {
    let person = shared_server().person();
    let mut client = SocketClient::json(&person).await;
    let deep = format!(r#"{{"action":"typing","data":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let wrong = [
        "",
        "x",
        "1",
        "null",
        "[]",
        "{}",
        "40",
        "2",
        "\u{0}",
        r#"{"action":7}"#,
        r#"{"action":""}"#,
        r#"{"action":"typing","id":[]}"#,
        r#"{"action":"typing","dta":{}}"#,
        r#"{"action":"typing""#,
        r#"{"action":"no_such_event"}"#,
        r#"{"action":"send_message","data":{"content":7}}"#,
        &deep,
    ];
    for frame in wrong {
        client.send(frame).await;
        let error = client.receive_event("error").await;
        assert_eq!(error["data"]["code"], json!("VALIDATION_FAILED"), "{frame}: {error}");
        assert!(error.get("id").is_none());
    }
    for (frame, id) in [
        (r#"{"action":"typing","id":"7","dta":{}}"#, json!("7")),
        (r#"{"id":8}"#, json!(8)),
        (r#"{"action":7,"id":"x"}"#, json!("x")),
    ] {
        client.send(frame).await;
        let ack = client.receive_event("ack").await;
        assert_eq!((&ack["id"], &ack["data"]["error"]["code"]), (&id, &json!("VALIDATION_FAILED")), "{ack}");
    }
    assert_eq!(
        request(&mut client, &json!(1), "online_users", &Value::Null).await["data"]["ok"],
        json!(true)
    );
}

#[tokio::test]
async fn oversized_and_binary_frames_close_the_socket_with_the_gateways_codes() {
    let server = shared_server();
    let (one, other) = (server.person(), server.person());
    let mut bystander = SocketClient::json(&other).await;
    let mut client = SocketClient::json(&one).await;
    client.send(&"x".repeat(1_000_000)).await;
    assert_eq!(client.close_code().await, 1009);
    let mut client = SocketClient::json(&one).await;
    client.send_bytes(b"{}").await;
    assert_eq!(client.close_code().await, 1003);
    assert_eq!(
        request(&mut bystander, &json!(1), "online_users", &Value::Null).await["data"]["ok"],
        json!(true)
    );
}

#[tokio::test]
async fn both_dialects_receive_the_same_events() {
    let (ada, bob, room) = shared_server().pair();
    let (mut json, mut socket_io) = (SocketClient::json(&bob).await, SocketClient::socket_io(&bob).await);
    let message = ada.send(&room, "Merhaba 😀");
    let expected = json!({ "message": message });
    assert_eq!(json.receive_event("message_received").await["data"], expected);
    let frame = socket_io.receive_until(r#"42["message_received","#).await;
    assert_eq!(serde_json::from_str::<Value>(&frame[2..]).unwrap(), json!(["message_received", expected]));

    // Sent over JSON: the sender's other devices get an event, the sending socket gets the ack.
    let mut own = SocketClient::socket_io(&ada).await;
    let mut client = SocketClient::json(&ada).await;
    let payload = json!({ "conversationId": room, "content": "again" });
    let ack = request(&mut client, &json!(9), "send_message", &payload).await;
    let frame = own.receive_until(r#"42["message_sent","#).await;
    let event: Value = serde_json::from_str(&frame[2..]).unwrap();
    assert_eq!(event[1], ack["data"]["data"]);
}

#[tokio::test]
async fn frames_sent_right_after_the_upgrade_are_not_lost() {
    let (ada, _bob, room) = shared_server().pair();
    let mut client =
        SocketClient::open(ada.port, &format!("/live?token={}", ada.access_token)).await.unwrap();
    let ack = request(&mut client, &json!("early"), "join_room", &json!(room)).await;
    assert_eq!((&ack["id"], &ack["data"]["ok"]), (&json!("early"), &json!(true)));
}

#[tokio::test]
async fn logout_sends_session_ended_and_closes_the_socket() {
    let ada = shared_server().person();
    let (mut json, mut socket_io) = (SocketClient::json(&ada).await, SocketClient::socket_io(&ada).await);
    ada.post("/api/auth/logout", &json!({})).data(200);
    assert_eq!(json.receive_event("session_ended").await["data"], json!({ "reason": "logged_out" }));
    assert_eq!(json.close_code().await, 1000);
    let event = socket_io.receive_until(r#"42["session_ended""#).await;
    expect![[r#"42["session_ended",{"reason":"logged_out"}]"#]].assert_eq(&event);
    assert_eq!(socket_io.receive_until("41").await, "41");
    assert_eq!(socket_io.close_code().await, 1000);
}

#[tokio::test]
async fn socket_can_connect_again_after_a_disconnect_packet() {
    let ada = shared_server().person();
    let mut client = SocketClient::socket_io(&ada).await;
    client.send("41").await;
    client.send(&format!(r#"40{{"token":"{}"}}"#, ada.access_token)).await;
    client.receive_until("40{").await;
    client.send("41/never-entered").await;
    assert_eq!(client.close_code().await, 1000);
    let mut client = SocketClient::open(ada.port, SOCKET_IO).await.unwrap();
    client.send(r#"451-0["send_message",{"_placeholder":true,"num":0}]"#).await;
    assert_eq!(client.close_code().await, 1000, "a binary event without its attachment");
}
