//! A registered user and what a user does over HTTP.

use serde_json::{Value, json};

use crate::http_client::{HttpRequest, HttpResponse, Port};

/// A user with a session.
#[derive(Debug, Clone)]
pub struct Person {
    /// The server's port.
    pub port: Port,
    pub id: String,
    pub username: String,
    pub email: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl Person {
    /// The password of all test users.
    pub const PASSWORD: &str = "correct horse battery";

    /// Registers a new user.
    pub fn register(port: Port, username: &str) -> Self {
        let email = format!("{username}@example.com");
        let form = json!({ "username": username, "email": email, "password": Self::PASSWORD });
        Self::new(port, &HttpRequest::new(port, "POST", "/api/auth/register").json(&form).data(201))
    }

    /// The user in the `data` of a register or login response.
    pub fn new(port: Port, data: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            port,
            id: text(&data["user"]["id"]),
            username: text(&data["user"]["username"]),
            email: text(&data["user"]["email"]),
            access_token: text(&data["accessToken"]),
            refresh_token: text(&data["refreshToken"]),
        }
    }

    /// A request with the user's access token.
    pub fn request(&self, method: &str, path: &str) -> HttpRequest {
        HttpRequest::new(self.port, method, path).bearer(&self.access_token)
    }

    pub fn get(&self, path: &str) -> HttpRequest {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str, body: &Value) -> HttpRequest {
        self.request("POST", path).json(body)
    }

    pub fn put(&self, path: &str, body: &Value) -> HttpRequest {
        self.request("PUT", path).json(body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> HttpRequest {
        self.request("PATCH", path).json(body)
    }

    pub fn delete(&self, path: &str) -> HttpRequest {
        self.request("DELETE", path)
    }

    /// Opens another session of the same user.
    pub fn log_in(&self) -> Self {
        let form = json!({ "email": self.email, "password": Self::PASSWORD });
        Self::new(self.port, &HttpRequest::new(self.port, "POST", "/api/auth/login").json(&form).data(200))
    }

    /// The response to a refresh with this token.
    pub fn refresh_with(&self, token: &str) -> HttpResponse {
        HttpRequest::new(self.port, "POST", "/api/auth/refresh")
            .json(&json!({ "refreshToken": token }))
            .send()
    }

    /// The id of the direct conversation with another user.
    pub fn conversation_with(&self, other: &Self) -> String {
        let response = self.post("/api/conversations", &json!({ "participantId": other.id })).send();
        assert!(matches!(response.status, 200 | 201), "{}", response.text());
        response.data()["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of a new group.
    pub fn group_with(&self, others: &[&Self], name: &str) -> String {
        let ids: Vec<&str> = others.iter().map(|other| other.id.as_str()).collect();
        let body = json!({ "participantIds": ids, "name": name });
        let data = self.post("/api/conversations", &body).data(201);
        data["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// Sends a message to a conversation and returns it.
    #[track_caller]
    pub fn send(&self, conversation: &str, content: &str) -> Value {
        let body = json!({ "conversationId": conversation, "content": content });
        self.post("/api/messages/send", &body).data(201)["message"].take()
    }

    /// Sends a message to another user and returns it.
    #[track_caller]
    pub fn send_to(&self, other: &Self, content: &str) -> Value {
        let body = json!({ "receiverId": other.id, "content": content });
        self.post("/api/messages/send", &body).data(201)["message"].take()
    }

    /// A page of history. `query` is a query string such as `limit=10`.
    #[track_caller]
    pub fn history(&self, conversation: &str, query: &str) -> Value {
        self.get(&format!("/api/messages/{conversation}?{query}")).data(200)
    }

    /// All messages of a conversation, oldest first, read page by page.
    pub fn whole_history(&self, conversation: &str) -> Vec<Value> {
        let mut pages = Vec::new();
        let mut query = "limit=100".to_owned();
        loop {
            let page = self.history(conversation, &query);
            pages.push(page["messages"].as_array().unwrap().clone());
            let Some(next) = page["nextCursor"].as_str() else { break };
            query = format!("limit=100&before={next}");
        }
        pages.into_iter().rev().flatten().collect()
    }

    /// The number of unread messages in a conversation.
    pub fn unread_in(&self, conversation: &str) -> u64 {
        let data = self.get("/api/messages/unread-count").data(200);
        data["byConversation"][conversation].as_u64().unwrap_or(0)
    }

    /// The user's own profile.
    #[track_caller]
    pub fn me(&self) -> Value {
        self.get("/api/auth/me").data(200)["user"].take()
    }
}

/// A field of every item of a list.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}
