//! Conversations: direct conversations, groups, and the list with unread counts.

use serde_json::json;
use test_support::person::{Person, texts};

use crate::server::shared_server;

#[test]
fn direct_conversation_is_created_once_from_either_side() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let first = ada.post("/api/conversations", &json!({ "participantId": bob.id })).data(201);
    let again = ada.post("/api/conversations", &json!({ "participantId": bob.id })).data(200);
    let theirs = bob.post("/api/conversations", &json!({ "participantId": ada.id })).data(200);
    let id = &first["conversation"]["id"];
    assert_eq!((id, id), (&again["conversation"]["id"], &theirs["conversation"]["id"]));
    let conversation = &first["conversation"];
    let mut keys: Vec<&String> = conversation.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["id", "lastMessage", "name", "participants", "type", "unreadCount", "updatedAt"]);
    assert_eq!(
        (&conversation["type"], &conversation["name"], &conversation["lastMessage"]),
        (&json!("direct"), &json!(null), &json!(null))
    );
    let mut people = [ada.id.clone(), bob.id.clone()];
    people.sort();
    assert_eq!(texts(&conversation["participants"], "id"), people);
    let message = bob.send_to(&ada, "sent to the user");
    assert_eq!(&message["conversationId"], id);
}

#[test]
fn groups_have_a_name_and_may_have_the_same_members() {
    let server = shared_server();
    let (ada, bob, eve) = (server.person(), server.person(), server.person());
    let ids = [ada.id.as_str(), bob.id.as_str(), bob.id.as_str()];
    let body = json!({ "participantIds": ids, "name": "  Çay & <b>kahve</b> " });
    let group = ada.post("/api/conversations", &body).data(201)["conversation"].take();
    assert_eq!((&group["type"], &group["name"]), (&json!("group"), &json!("Çay & <b>kahve</b>")));
    assert_eq!(group["participants"].as_array().unwrap().len(), 2, "the caller and bob, once each");
    let second = ada.post("/api/conversations", &body).data(201)["conversation"].take();
    assert_ne!(group["id"], second["id"]);
    let id = group["id"].as_str().unwrap();
    bob.send(id, "here");
    assert_eq!(ada.unread_in(id), 1);
    eve.post("/api/messages/send", &json!({ "conversationId": id, "content": "me too" }))
        .fails(404, "NOT_FOUND");
    assert_ne!(ada.conversation_with(&bob), id, "a group of two is not the direct conversation");
}

#[test]
fn invalid_participants_are_rejected_by_field() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let many: Vec<String> = (0..256).map(|n| format!("user{n}")).collect();
    let cases = [
        (json!({}), vec!["participantId"]),
        (json!({ "participantId": ada.id }), vec!["participantId"]),
        (json!({ "participantId": "no-such-user" }), vec!["participantId"]),
        (json!({ "participantId": "$gt" }), vec!["participantId"]),
        (json!({ "participantId": { "$ne": null } }), vec!["participantId"]),
        (json!({ "participantId": bob.id, "name": "x" }), vec!["name"]),
        (json!({ "participantId": bob.id, "participantIds": [bob.id], "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": [bob.id] }), vec!["name"]),
        (json!({ "participantIds": [], "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": bob.id, "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": [7], "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": [ada.id], "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": [bob.id, "no-such-user"], "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": many, "name": "x" }), vec!["participantIds"]),
        (json!({ "participantIds": [bob.id], "name": " " }), vec!["name"]),
        (json!({ "participantIds": [bob.id], "name": "x".repeat(81) }), vec!["name"]),
        (json!({ "participantIds": [bob.id], "name": "x", "type": "group" }), vec!["type"]),
    ];
    for (body, fields) in cases {
        let answer = ada.post("/api/conversations", &body).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields, "{body}");
    }
    assert!(ada.get("/api/conversations").data(200)["conversations"].as_array().unwrap().is_empty());
}

fn listed(person: &Person, query: &str) -> (Vec<String>, Option<String>) {
    let data = person.get(&format!("/api/conversations?{query}")).data(200);
    (texts(&data["conversations"], "id"), data["nextCursor"].as_str().map(str::to_owned))
}

#[test]
fn list_is_sorted_by_newest_activity_and_paged() {
    let server = shared_server();
    let ada = server.person();
    let friends: Vec<Person> = (0..5).map(|_| server.person()).collect();
    let mut ids: Vec<String> = friends
        .iter()
        .map(|friend| friend.send_to(&ada, "hello")["conversationId"].as_str().unwrap().to_owned())
        .collect();
    ids.reverse();
    assert_eq!(listed(&ada, "").0, ids);
    friends[2].send_to(&ada, "again");
    let moved = ids.remove(2);
    ids.insert(0, moved);
    let mut all = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let (page, next) = listed(&ada, &query);
        assert!(page.len() <= 2);
        all.extend(page);
        let Some(next) = next else { break };
        query = format!("limit=2&cursor={next}");
    }
    assert_eq!(all, ids, "no conversation is lost or repeated");
    for (query, field) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("cursor=x", "cursor"), ("cursor=x_y", "cursor")]
    {
        let answer = ada.get(&format!("/api/conversations?{query}")).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}

#[test]
fn unread_counts_are_per_member() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    for text in ["one", "two", "three"] {
        bob.send(&conversation, text);
    }
    let unread_by = |person: &Person| {
        let row = person.get("/api/conversations").data(200)["conversations"][0].take();
        let one = person.get(&format!("/api/conversations/{conversation}")).data(200)["conversation"].take();
        assert_eq!(row, one, "the list and the single conversation are equal");
        assert_eq!(row["lastMessage"]["content"], "three");
        assert_eq!(row["updatedAt"], row["lastMessage"]["createdAt"]);
        let total = person.get("/api/messages/unread-count").data(200)["total"].as_u64().unwrap();
        assert_eq!((row["unreadCount"].as_u64(), person.unread_in(&conversation)), (Some(total), total));
        total
    };
    assert_eq!((unread_by(&ada), unread_by(&bob)), (3, 0));
    let read = ada.request("PUT", &format!("/api/conversations/{conversation}/read")).data(200);
    assert_eq!(read, json!({ "conversationId": conversation, "upToSeq": 3 }));
    assert_eq!((unread_by(&ada), unread_by(&bob)), (0, 0));
    let data = ada.get("/api/messages/unread-count").data(200);
    assert_eq!(data, json!({ "total": 0, "byConversation": {} }));
}

#[test]
fn deleted_message_is_not_unread_and_stays_the_last_message_without_content() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    bob.send(&conversation, "one");
    let message = bob.send(&conversation, "a secret")["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.unread_in(&conversation), 2);
    bob.delete(&format!("/api/messages/{message}")).data(200);
    assert_eq!(ada.unread_in(&conversation), 1);
    let answer = ada.get("/api/conversations").send();
    assert!(!answer.text().contains("a secret"), "{}", answer.text());
    assert_eq!(answer.data()["conversations"][0]["lastMessage"]["content"], "");
}
