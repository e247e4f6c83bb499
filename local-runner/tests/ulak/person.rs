//! Somebody who uses Ulak, in the words of what people do.

use serde_json::{Value, json};

use crate::client::{Answer, Call, Port};

/// A user with a session.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) port: Port,
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Person {
    /// Everybody's password.
    pub(crate) const PASSWORD: &str = "correct horse battery";

    /// From what register or login answered.
    pub(crate) fn of(port: Port, data: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            port,
            id: text(&data["user"]["id"]),
            username: text(&data["user"]["username"]),
            email: text(&data["user"]["email"]),
            access: text(&data["accessToken"]),
            refresh: text(&data["refreshToken"]),
        }
    }

    /// A request with the access token.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.port, method, path).bearer(&self.access)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.call("POST", path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Call {
        self.call("PUT", path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Call {
        self.call("PATCH", path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// Another session of the same user.
    pub(crate) fn log_in(&self) -> Self {
        let form = json!({ "email": self.email, "password": Self::PASSWORD });
        Self::of(self.port, &Call::new(self.port, "POST", "/api/auth/login").json(&form).data(200))
    }

    /// Shows a refresh token.
    pub(crate) fn show_refresh(&self, token: &str) -> Answer {
        Call::new(self.port, "POST", "/api/auth/refresh").json(&json!({ "refreshToken": token })).send()
    }

    /// The id of the one conversation with somebody.
    pub(crate) fn conversation_with(&self, other: &Self) -> String {
        let answer = self.post("/api/conversations", &json!({ "participantId": other.id })).send();
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        answer.data()["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of a new group.
    pub(crate) fn group_with(&self, others: &[&Self], name: &str) -> String {
        let ids: Vec<&str> = others.iter().map(|other| other.id.as_str()).collect();
        let body = json!({ "participantIds": ids, "name": name });
        let data = self.post("/api/conversations", &body).data(201);
        data["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// Writes into a conversation; the message.
    #[track_caller]
    pub(crate) fn say(&self, conversation: &str, content: &str) -> Value {
        let body = json!({ "conversationId": conversation, "content": content });
        self.post("/api/messages/send", &body).data(201)["message"].take()
    }

    /// Writes to somebody; the message.
    #[track_caller]
    pub(crate) fn write_to(&self, other: &Self, content: &str) -> Value {
        let body = json!({ "receiverId": other.id, "content": content });
        self.post("/api/messages/send", &body).data(201)["message"].take()
    }

    /// A page of history; `query` such as `limit=10`.
    #[track_caller]
    pub(crate) fn history(&self, conversation: &str, query: &str) -> Value {
        self.get(&format!("/api/messages/{conversation}?{query}")).data(200)
    }

    /// Every message of a conversation, oldest first, page by page.
    pub(crate) fn whole_history(&self, conversation: &str) -> Vec<Value> {
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

    /// How many messages are unread in a conversation.
    pub(crate) fn unread_in(&self, conversation: &str) -> u64 {
        let data = self.get("/api/messages/unread-count").data(200);
        data["byConversation"][conversation].as_u64().unwrap_or(0)
    }

    /// The user as the user sees it.
    #[track_caller]
    pub(crate) fn me(&self) -> Value {
        self.get("/api/auth/me").data(200)["user"].take()
    }
}

/// A field of every item of a list, as text.
pub(crate) fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}
