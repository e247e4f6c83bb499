//! One row per HTTP function: its ports, one good request, and what the answer's data says.

use serde_json::{Value, json};
use shared::ports::Probe;
use test_support::person::Person;

use super::bench::{Ask, Bench, Handle};
use super::scene::{Known, Scene};

/// A function under test.
pub(super) struct Row {
    /// Its folder.
    pub(super) function: &'static str,
    pub(super) handle: Handle,
    /// A request that succeeds.
    pub(super) ask: fn(&Scene) -> Ask,
    pub(super) status: u16,
    /// Where the answer's data is told of, and what it is there.
    pub(super) told: fn(&Scene) -> (&'static str, Value),
}

fn by(who: &Known, route: &'static str) -> Ask {
    Ask { route, token: Some(who.token.clone()), ..Ask::default() }
}

fn stranger(route: &'static str, body: Value) -> Ask {
    Ask { route, body, ..Ask::default() }
}

impl Ask {
    fn at(mut self, name: &'static str, value: &str) -> Self {
        self.path.push((name, value.to_owned()));
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    fn body(mut self, body: Value) -> Self {
        self.body = body;
        self
    }
}

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    [auth(), users(), conversations(), messages()].into_iter().flatten().collect()
}

fn auth() -> Vec<Row> {
    vec![
        Row {
            function: "auth-register",
            handle: |b, r| Box::pin(auth_register::handle(b.gate(), &b.store, &b.passwords, r)),
            ask: |_| {
                let form = json!({ "username": "Cem", "email": "cem@example.com", "password": "12345678" });
                stranger("POST /api/auth/register", form)
            },
            status: 201,
            told: |_| ("/user/username", json!("Cem")),
        },
        Row {
            function: "auth-login",
            handle: |b, r| Box::pin(auth_login::handle(b.gate(), &b.store, &b.passwords, r)),
            ask: |_| {
                stranger("POST /api/auth/login", json!({ "username": "ADA", "password": Person::PASSWORD }))
            },
            status: 200,
            told: |s| ("/user/id", json!(s.ada.id)),
        },
        Row {
            function: "auth-refresh",
            handle: |b, r| Box::pin(auth_refresh::handle(b.gate(), &b.store, b.fanout(), r)),
            ask: |s| stranger("POST /api/auth/refresh", json!({ "refreshToken": s.ada.refresh })),
            status: 200,
            told: |_| ("/expiresIn", json!(900)),
        },
        Row {
            function: "auth-logout",
            handle: |b, r| Box::pin(auth_logout::handle(b.gate(), b.fanout(), r)),
            ask: |s| by(&s.ada, "POST /api/auth/logout").body(json!({ "everywhere": true })),
            status: 200,
            told: |_| ("/ended", json!(2)),
        },
        Row {
            function: "auth-sessions",
            handle: |b, r| Box::pin(auth_sessions::handle(b.gate(), r)),
            ask: |s| by(&s.ada, "GET /api/auth/sessions"),
            status: 200,
            told: |_| ("/sessions/1/device", json!("a test")),
        },
        Row {
            function: "auth-session-end",
            handle: |b, r| Box::pin(auth_session_end::handle(b.gate(), b.fanout(), r)),
            ask: |s| by(&s.ada, "DELETE /api/auth/sessions/{id}").at("id", &s.session),
            status: 200,
            told: |s| ("/id", json!(s.session)),
        },
        Row {
            function: "auth-me",
            handle: |b, r| Box::pin(auth_me::handle(b.gate(), &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/auth/me"),
            status: 200,
            told: |_| ("/user/email", json!("ada@example.com")),
        },
        Row {
            function: "health",
            handle: |b, r| Box::pin(health_of(b, r)),
            ask: |_| stranger("GET /api/health", Value::Null),
            status: 200,
            told: |_| ("/stores/embedded", json!("up")),
        },
    ]
}

/// The list of stores must live as long as the answer is under way.
async fn health_of(
    bench: &Bench,
    request: shared::lambda::http::Request,
) -> Result<shared::lambda::http::Reply, shared::error::Error> {
    let stores: [(&'static str, &dyn Probe); 1] = [("embedded", &bench.store)];
    health::handle(bench.gate(), &stores, request).await
}

fn users() -> Vec<Row> {
    vec![
        Row {
            function: "user-profile",
            handle: |b, r| Box::pin(user_profile::handle(b.gate(), &b.store, &b.passwords, b.fanout(), r)),
            ask: |s| {
                let form = json!({ "displayName": "Ada L.", "password": "12345678", "currentPassword": Person::PASSWORD });
                by(&s.ada, "PUT /api/user/profile").body(form)
            },
            status: 200,
            told: |_| ("/user/displayName", json!("Ada L.")),
        },
        Row {
            function: "user-list",
            handle: |b, r| Box::pin(user_list::handle(b.gate(), &b.store, &b.store, &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/user/list").with("search", "b").with("limit", "1"),
            status: 200,
            told: |s| ("/users/0/id", json!(s.bob.id)),
        },
        Row {
            function: "presence-list",
            handle: |b, r| Box::pin(presence_list::handle(b.gate(), &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/user/online"),
            status: 200,
            told: |_| ("/userIds", json!([])),
        },
        Row {
            function: "presence-count",
            handle: |b, r| Box::pin(presence_count::handle(b.gate(), &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/user/online/count"),
            status: 200,
            told: |_| ("/count", json!(0)),
        },
        Row {
            function: "presence-user",
            handle: |b, r| Box::pin(presence_user::handle(b.gate(), &b.store, &b.store, &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/user/online/{userId}").at("userId", &s.bob.id),
            status: 200,
            told: |_| ("/online", json!(false)),
        },
    ]
}

fn conversations() -> Vec<Row> {
    vec![
        Row {
            function: "conversation-create",
            handle: |b, r| Box::pin(conversation_create::handle(b.gate(), &b.store, &b.store, r)),
            ask: |s| by(&s.ada, "POST /api/conversations").body(json!({ "participantId": s.eve.id })),
            status: 201,
            told: |_| ("/conversation/type", json!("direct")),
        },
        Row {
            function: "conversation-list",
            handle: |b, r| Box::pin(conversation_list::handle(b.gate(), &b.store, &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/conversations"),
            status: 200,
            told: |s| ("/conversations/0/id", json!(s.conversation)),
        },
        Row {
            function: "conversation-get",
            handle: |b, r| Box::pin(conversation_get::handle(b.gate(), &b.store, &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/conversations/{id}").at("id", &s.conversation),
            status: 200,
            told: |_| ("/conversation/unreadCount", json!(1)),
        },
        Row {
            function: "conversation-read",
            handle: |b, r| Box::pin(conversation_read::handle(b.gate(), b.chat().for_reading(), r)),
            ask: |s| by(&s.ada, "PUT /api/conversations/{id}/read").at("id", &s.conversation),
            status: 200,
            told: |_| ("/upToSeq", json!(2)),
        },
    ]
}

fn messages() -> Vec<Row> {
    vec![
        Row {
            function: "message-send",
            handle: |b, r| Box::pin(message_send::handle(b.gate(), b.chat(), r)),
            ask: |s| {
                by(&s.ada, "POST /api/messages/send").body(json!({ "receiverId": s.bob.id, "content": "hi" }))
            },
            status: 201,
            told: |_| ("/message/seq", json!(3)),
        },
        Row {
            function: "message-list",
            handle: |b, r| Box::pin(message_list::handle(b.gate(), b.chat().members, &b.store, r)),
            ask: |s| {
                let ask =
                    by(&s.bob, "GET /api/messages/{conversationId}").at("conversationId", &s.conversation);
                ask.with("before", &s.theirs)
            },
            status: 200,
            told: |s| ("/messages/0/id", json!(s.message)),
        },
        Row {
            function: "message-read",
            handle: |b, r| Box::pin(message_read::handle(b.gate(), b.chat().for_reading(), r)),
            ask: |s| by(&s.bob, "PUT /api/messages/{messageId}/read").at("messageId", &s.message),
            status: 200,
            told: |_| ("/upToSeq", json!(1)),
        },
        Row {
            function: "message-edit",
            handle: |b, r| Box::pin(message_edit::handle(b.gate(), b.chat().for_changes(), r)),
            ask: |s| {
                let ask = by(&s.ada, "PATCH /api/messages/{messageId}").at("messageId", &s.message);
                ask.body(json!({ "content": "hello again" }))
            },
            status: 200,
            told: |_| ("/message/content", json!("hello again")),
        },
        Row {
            function: "message-delete",
            handle: |b, r| Box::pin(message_delete::handle(b.gate(), b.chat().for_changes(), r)),
            ask: |s| by(&s.ada, "DELETE /api/messages/{messageId}").at("messageId", &s.message),
            status: 200,
            told: |_| ("/message/content", json!("")),
        },
        Row {
            function: "message-unread-count",
            handle: |b, r| Box::pin(message_unread_count::handle(b.gate(), &b.store, r)),
            ask: |s| by(&s.ada, "GET /api/messages/unread-count"),
            status: 200,
            told: |_| ("/total", json!(1)),
        },
        Row {
            function: "message-search",
            handle: |b, r| {
                Box::pin(message_search::handle(b.gate(), b.chat().members, &b.store, &b.store, r))
            },
            ask: |s| by(&s.ada, "GET /api/messages/search").with("q", "ORANGE"),
            status: 200,
            told: |_| ("/hits/0/highlight", json!("<mark>oranges</mark>")),
        },
    ]
}
