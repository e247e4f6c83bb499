//! Messages: every route for sending, `clientMessageId`, read marks, edits and deletions.

use expect_test::expect;
use serde_json::{Value, json};
use shared::time::Time;
use test_support::http_client::HttpRequest;
use test_support::person::Person;
use test_support::unique_name;

use crate::server::shared_server;

#[test]
fn every_route_and_both_targets_send_the_same_message() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let nested = format!("/api/conversations/{conversation}/messages");
    let calls: [(&str, Value); 5] = [
        ("/api/messages/send", json!({ "conversationId": conversation, "content": "hi" })),
        ("/api/messages/send", json!({ "receiverId": bob.id, "content": "hi" })),
        ("/api/messages", json!({ "conversationId": conversation, "content": "hi" })),
        ("/api/messages", json!({ "receiverId": bob.id, "content": "hi" })),
        (&nested, json!({ "content": "hi" })),
    ];
    for (n, (path, body)) in calls.into_iter().enumerate() {
        let message = ada.post(path, &body).data(201)["message"].take();
        let at = message["createdAt"].as_str().unwrap();
        assert_eq!(Time::parse(at).unwrap().to_string(), at);
        let expected = json!({
            "id": message["id"], "conversationId": conversation, "seq": n + 1, "senderId": ada.id,
            "content": "hi", "kind": "text", "clientMessageId": null, "createdAt": at,
            "editedAt": null, "deletedAt": null,
        });
        assert_eq!(message, expected, "{path}");
    }
    for path in [format!("/api/messages/{conversation}"), nested] {
        let messages = bob.get(&path).data(200)["messages"].take();
        assert_eq!(messages.as_array().unwrap().len(), 5, "{path}");
    }
}

#[test]
fn repeated_client_message_id_returns_the_first_message() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let eve = server.person();
    let key = unique_name();
    let send = |user: &Person, target: (&str, &str), content: &str| {
        let body = json!({ target.0: target.1, "content": content, "clientMessageId": key });
        user.post("/api/messages/send", &body)
    };
    let first = send(&ada, ("conversationId", &conversation), "hi").data(201)["message"].take();
    assert_eq!(first["clientMessageId"], json!(key));
    let repeat = send(&ada, ("conversationId", &conversation), "hi").data(200)["message"].take();
    let by_person = send(&ada, ("receiverId", &bob.id), " hi ").data(200)["message"].take();
    assert_eq!((&first, &first), (&repeat, &by_person));
    send(&ada, ("conversationId", &conversation), "something else").fails(409, "CONFLICT");
    send(&ada, ("receiverId", &eve.id), "hi").fails(409, "CONFLICT");
    send(&bob, ("conversationId", &conversation), "hi").data(201);
    assert_eq!(ada.whole_history(&conversation).len(), 2, "keys are per sender");
    assert_eq!(bob.unread_in(&conversation), 1);
    let id = first["id"].as_str().unwrap();
    ada.patch(&format!("/api/messages/{id}"), &json!({ "content": "edited" })).data(200);
    let late = send(&ada, ("conversationId", &conversation), "hi").data(200)["message"].take();
    assert_eq!(
        (&late["id"], &late["content"]),
        (&first["id"], &json!("edited")),
        "a repeat after an edit is not a conflict"
    );
}

#[test]
fn invalid_messages_are_rejected_by_field() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let cases = [
        (json!({}), vec!["conversationId", "content"]),
        (json!({ "content": "hi" }), vec!["conversationId"]),
        (json!({ "conversationId": conversation }), vec!["content"]),
        (json!({ "receiverId": ada.id, "content": "to myself" }), vec!["receiverId"]),
        (json!({ "receiverId": "no-such-user", "content": "hi" }), vec!["receiverId"]),
        (json!({ "receiverId": "", "content": "hi" }), vec!["receiverId"]),
        (json!({ "receiverId": [bob.id], "content": "hi" }), vec!["receiverId"]),
        (
            json!({ "receiverId": bob.id, "conversationId": conversation, "content": "hi" }),
            vec!["receiverId"],
        ),
        (json!({ "receiverId": bob.id, "content": 7 }), vec!["content"]),
        (json!({ "receiverId": bob.id, "content": { "$gt": "" } }), vec!["content"]),
        (json!({ "receiverId": bob.id, "content": "hi", "clientMessageId": "" }), vec!["clientMessageId"]),
        (
            json!({ "receiverId": bob.id, "content": "hi", "clientMessageId": "x".repeat(101) }),
            vec!["clientMessageId"],
        ),
        (
            json!({ "receiverId": bob.id, "content": "hi", "clientMessageId": "a\nb" }),
            vec!["clientMessageId"],
        ),
        (json!({ "receiverId": bob.id, "content": "hi", "senderId": bob.id }), vec!["senderId"]),
        (json!({ "receiverId": bob.id, "content": "hi", "kind": "auto" }), vec!["kind"]),
    ];
    for (body, fields) in cases {
        let answer = ada.post("/api/messages/send", &body).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields, "{body}");
    }
    let body = json!({ "conversationId": "nothing", "content": "hi" });
    ada.post("/api/messages/send", &body).fails(404, "NOT_FOUND");
    assert!(ada.whole_history(&conversation).is_empty());
}

#[test]
fn read_mark_never_moves_back() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let messages: Vec<Value> = (1..=5).map(|n| bob.send(&conversation, &n.to_string())).collect();
    let read = |n: usize| {
        let id = messages[n - 1]["id"].as_str().unwrap();
        let data = ada.request("PUT", &format!("/api/messages/{id}/read")).data(200);
        (data["upToSeq"].as_u64().unwrap(), ada.unread_in(&conversation))
    };
    assert_eq!(ada.unread_in(&conversation), 5);
    assert_eq!(read(3), (3, 2));
    assert_eq!(read(1), (3, 2), "an older message does not move the mark back");
    assert_eq!(read(5), (5, 0));
    ada.send(&conversation, "mine");
    assert_eq!(ada.unread_in(&conversation), 0, "own messages are never unread");
    assert_eq!(bob.unread_in(&conversation), 1);
}

#[test]
fn only_the_sender_edits_and_deletes_a_message() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let message = ada.send(&conversation, "first");
    let path = format!("/api/messages/{}", message["id"].as_str().unwrap());
    let edited = ada.patch(&path, &json!({ "content": " second " })).data(200)["message"].take();
    let at = edited["editedAt"].as_str().unwrap();
    assert!(Time::parse(at) >= Time::parse(message["createdAt"].as_str().unwrap()));
    assert_eq!((&edited["content"], &edited["seq"]), (&json!("second"), &message["seq"]));
    assert_eq!(bob.history(&conversation, "")["messages"][0], edited);
    bob.patch(&path, &json!({ "content": "mine now" })).fails(403, "FORBIDDEN");
    bob.delete(&path).fails(403, "FORBIDDEN");
    for (body, field) in [
        (json!({}), "content"),
        (json!({ "content": " " }), "content"),
        (json!({ "content": "x", "seq": 9 }), "seq"),
    ] {
        let answer = ada.patch(&path, &body).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let deleted = ada.delete(&path).data(200)["message"].take();
    assert_eq!((&deleted["content"], deleted["deletedAt"].is_string()), (&json!(""), true));
    assert_eq!(ada.delete(&path).data(200)["message"], deleted, "a second deletion changes nothing");
    ada.patch(&path, &json!({ "content": "back?" })).fails(404, "NOT_FOUND");
    let row = bob.history(&conversation, "")["messages"][0].take();
    assert_eq!(row, deleted, "the deleted message stays in the history");
}

/// Every route with the id of a conversation or a message, called by a user who is not a member.
#[test]
fn non_members_get_404_everywhere() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let eve = server.person();
    let message = ada.send(&conversation, "between us")["id"].as_str().unwrap().to_owned();
    let eves_message = eve.send_to(&bob, "mine")["id"].as_str().unwrap().to_owned();
    let content = json!({ "content": "x" });
    let calls = |user: &Person, c: &str, m: &str| -> Vec<HttpRequest> {
        vec![
            user.get(&format!("/api/conversations/{c}")),
            user.get(&format!("/api/conversations/{c}/messages")),
            user.post(&format!("/api/conversations/{c}/messages"), &content),
            user.request("PUT", &format!("/api/conversations/{c}/read")),
            user.get(&format!("/api/messages/{c}")),
            user.get(&format!("/api/messages/{c}?before={eves_message}")),
            user.get(&format!("/api/messages/search?q=between&conversationId={c}")),
            user.post("/api/messages/send", &json!({ "conversationId": c, "content": "x" })),
            user.request("PUT", &format!("/api/messages/{m}/read")),
            user.patch(&format!("/api/messages/{m}"), &content),
            user.delete(&format!("/api/messages/{m}")),
        ]
    };
    let mut bodies: Vec<String> = Vec::new();
    for (c, m) in [(conversation.as_str(), message.as_str()), ("01NOTHING", "01NOTHING")] {
        for call in calls(&eve, c, m) {
            let mut body = call.fails(404, "NOT_FOUND").json();
            body["error"]["requestId"].take();
            bodies.push(body.to_string());
        }
    }
    let (foreign, unknown) = bodies.split_at(bodies.len() / 2);
    assert_eq!(foreign, unknown, "the reply shows that the id exists");
    let own = &bob.history(&conversation, "")["messages"];
    assert_eq!((own.as_array().unwrap().len(), &own[0]["content"]), (1, &json!("between us")));
    expect![[r#"{"error":{"code":"NOT_FOUND","requestId":null},"message":"the conversation was not found","success":false}"#]]
        .assert_eq(&foreign[0]);
}

#[test]
fn ids_and_seqs_grow_in_creation_order() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let mut ids = Vec::new();
    for n in 0..30 {
        let user = if n % 3 == 0 { &ada } else { &bob };
        ids.push(user.send(&conversation, &n.to_string()));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(ids.is_sorted_by_key(|message| message["id"].as_str().unwrap().to_owned()));
    let seqs: Vec<u64> = ids.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
}
