//! Every route answers as documented when it succeeds: one walk through all of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use test_support::http_client::HttpRequest;
use test_support::person::Person;

use super::schema::openapi;
use crate::server::shared_server;

/// Sends requests and checks each answer; remembers which routes answered with which status.
#[derive(Default)]
struct Walk {
    seen: BTreeSet<(String, u16)>,
}

impl Walk {
    /// Sends a request that succeeds with this status; returns its data.
    #[track_caller]
    fn expect(&mut self, status: u16, route: &str, request: &HttpRequest) -> Value {
        let answer = request.send();
        assert_eq!(answer.status, status, "{route}: {}", answer.text());
        openapi().assert_answer(route, &answer);
        self.seen.insert((route.to_owned(), status));
        let is_json = answer.header("content-type").unwrap().starts_with("application/json");
        if is_json { answer.json()["data"].take() } else { Value::Null }
    }

    /// A GET without parameters in its path.
    #[track_caller]
    fn get(&mut self, person: &Person, path: &str) -> Value {
        let route = format!("GET {}", path.split('?').next().unwrap());
        self.expect(200, &route, &person.get(path))
    }
}

#[test]
fn every_success_is_documented_and_every_documented_success_happens() {
    let mut walk = Walk::default();
    let (ada, bob, room) = shared_server().pair();
    walk_accounts(&mut walk, &ada);
    walk_conversations(&mut walk, &ada, &bob, &room);
    walk_messages(&mut walk, &ada, &bob, &room);
    walk_system(&mut walk, &ada);

    let documented: BTreeSet<(String, u16)> = openapi()
        .operations()
        .iter()
        .flat_map(|operation| {
            let statuses =
                operation.value["responses"].as_object().unwrap().keys().map(|s| s.parse().unwrap());
            statuses
                .filter(|status| *status < 400)
                .map(|status| (operation.route(), status))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(walk.seen, documented);
}

fn walk_accounts(walk: &mut Walk, ada: &Person) {
    let name = test_support::unique_name();
    let form =
        json!({ "username": name, "email": format!("{name}@example.com"), "password": Person::PASSWORD });
    let post = |path: &str, body: &Value| shared_server().request("POST", path).json(body);
    let data = walk.expect(201, "POST /api/auth/register", &post("/api/auth/register", &form));
    let eve = Person::new(ada.port, &data);
    let form = json!({ "email": eve.username, "password": Person::PASSWORD });
    let again =
        Person::new(ada.port, &walk.expect(200, "POST /api/auth/login", &post("/api/auth/login", &form)));
    let token = json!({ "refreshToken": again.refresh_token });
    walk.expect(200, "POST /api/auth/refresh", &post("/api/auth/refresh", &token));
    walk.get(&eve, "/api/auth/me");
    let sessions = walk.get(&eve, "/api/auth/sessions")["sessions"].take();
    let other = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let id = other["id"].as_str().unwrap();
    walk.expect(200, "DELETE /api/auth/sessions/{id}", &eve.delete(&format!("/api/auth/sessions/{id}")));
    for path in ["/api/user/profile", "/api/auth/me"] {
        let change = json!({ "displayName": "Eve", "username": null });
        walk.expect(200, &format!("PUT {path}"), &eve.put(path, &change));
    }
    walk.get(&eve, "/api/user/online");
    walk.get(&eve, "/api/user/online/count");
    let path = format!("/api/user/online/{}", ada.id);
    walk.expect(200, "GET /api/user/online/{userId}", &eve.get(&path));
    walk.get(&eve, &format!("/api/user/list?search={}&limit=1", ada.username));
    walk.get(&eve, "/api/user/list?limit=1");
    let gone = shared_server().person();
    let deletion = gone.delete("/api/auth/me").json(&json!({ "currentPassword": Person::PASSWORD }));
    walk.expect(200, "DELETE /api/auth/me", &deletion);
    walk.expect(200, "POST /api/auth/logout", &eve.post("/api/auth/logout", &json!({ "everywhere": true })));
}

fn walk_conversations(walk: &mut Walk, ada: &Person, bob: &Person, room: &str) {
    let eve = shared_server().person();
    let create = |body: Value| ada.post("/api/conversations", &body);
    walk.expect(200, "POST /api/conversations", &create(json!({ "participantId": bob.id })));
    walk.expect(201, "POST /api/conversations", &create(json!({ "participantId": eve.id })));
    let group = json!({ "participantIds": [bob.id, eve.id], "name": "Three" });
    walk.expect(201, "POST /api/conversations", &create(group));
    ada.send(room, "hello");
    walk.get(ada, "/api/conversations?limit=1");
    walk.get(ada, "/api/conversations");
    walk.expect(200, "GET /api/conversations/{id}", &ada.get(&format!("/api/conversations/{room}")));
    let path = format!("/api/conversations/{room}/read");
    walk.expect(200, "PUT /api/conversations/{id}/read", &bob.request("PUT", &path));
}

fn walk_messages(walk: &mut Walk, ada: &Person, bob: &Person, room: &str) {
    let in_room = format!("/api/conversations/{room}/messages");
    for (route, path) in [
        ("POST /api/messages/send", "/api/messages/send"),
        ("POST /api/messages", "/api/messages"),
        ("POST /api/conversations/{id}/messages", &in_room),
    ] {
        let body = json!({ "conversationId": room, "content": "oranges", "clientMessageId": route });
        walk.expect(201, route, &ada.post(path, &body));
        walk.expect(200, route, &ada.post(path, &body));
    }
    let to_bob = json!({ "receiverId": bob.id, "content": "oranges" });
    walk.expect(201, "POST /api/messages/send", &ada.post("/api/messages/send", &to_bob));
    let list = format!("/api/messages/{room}");
    let page = walk.expect(200, "GET /api/messages/{conversationId}", &ada.get(&format!("{list}?limit=2")));
    let newest = page["messages"][1]["id"].as_str().unwrap();
    walk.expect(200, "GET /api/messages/{conversationId}", &ada.get(&format!("{list}?before={newest}")));
    walk.expect(200, "GET /api/conversations/{id}/messages", &ada.get(&format!("{in_room}?after={newest}")));
    walk.get(bob, "/api/messages/unread-count");
    shared_server().wait_until_searchable();
    let hits = walk.get(bob, "/api/messages/search?q=oranges&limit=1");
    assert_eq!(hits["hits"].as_array().unwrap().len(), 1, "{hits}");
    walk.get(bob, &format!("/api/messages/search?q=oranges&conversationId={room}"));
    let message = format!("/api/messages/{newest}");
    walk.expect(200, "PUT /api/messages/{messageId}/read", &bob.request("PUT", &format!("{message}/read")));
    let edit = json!({ "content": "apples" });
    walk.expect(200, "PATCH /api/messages/{messageId}", &ada.patch(&message, &edit));
    walk.expect(200, "DELETE /api/messages/{messageId}", &ada.delete(&message));
}

fn walk_system(walk: &mut Walk, ada: &Person) {
    for path in ["/api/health", "/api/openapi.json", "/api/asyncapi.json", "/api/docs"] {
        walk.get(ada, path);
    }
    for file in ["page.js", "page.css"] {
        walk.expect(200, "GET /api/docs/{file}", &ada.get(&format!("/api/docs/{file}")));
    }
    walk.get(ada, "/");
    for file in ["main.js", "style.css", "icon.svg", "config.json"] {
        walk.expect(200, "GET /app/{file}", &ada.get(&format!("/app/{file}")));
    }
    walk.expect(200, "GET /app/views/{file}", &ada.get("/app/views/login.js"));
}
