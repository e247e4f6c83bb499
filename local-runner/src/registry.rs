//! Every function of the template with the ports that it may use, as in the function's own `main.rs`.

use bytes::Bytes;
use sam_emulator::invoke::{FunctionError, Registry};
use shared::lambda::{Entry, async_event, http, invoke, queue, schedule, websocket};
use shared::ports::SearchIndexWriter;

use crate::wiring::Wiring;

/// All functions over the same wiring.
pub(crate) fn registry(w: &'static Wiring) -> Registry {
    let mut registry = Registry::default();
    let all = [
        pages(w),
        descriptions(),
        auth(w),
        users(w),
        conversations(w),
        messages(w),
        sockets(w),
        automatic(w),
        indexing(w),
    ];
    for (name, entry) in all.into_iter().flatten() {
        add(&mut registry, name, entry);
    }
    registry
}

type Named = (&'static str, Entry);

fn pages(w: &'static Wiring) -> Vec<Named> {
    vec![("chat-page", http(move |r| chat_page::handle(&w.chat_page, r)))]
}

fn descriptions() -> Vec<Named> {
    vec![("api-description", http(api_description::handle)), ("api-docs", http(api_docs::handle))]
}

fn auth(w: &'static Wiring) -> Vec<Named> {
    let (s, gate, pw) = (&w.stores, w.gate(), &w.passwords);
    vec![
        ("auth-register", http(move |r| auth_register::handle(gate, s.users, pw, r))),
        ("auth-login", http(move |r| auth_login::handle(gate, s.users, pw, r))),
        ("auth-refresh", http(move |r| auth_refresh::handle(gate, s.users, w.fanout(), r))),
        ("auth-logout", http(move |r| auth_logout::handle(gate, w.fanout(), r))),
        ("auth-sessions", http(move |r| auth_sessions::handle(gate, r))),
        ("auth-session-end", http(move |r| auth_session_end::handle(gate, w.fanout(), r))),
        ("auth-delete", http(move |r| auth_delete::handle(gate, s.users, pw, w.fanout(), r))),
        ("auth-me", http(move |r| auth_me::handle(gate, s.users, r))),
        ("health", http(move |r| health::handle(gate, &s.probes, r))),
    ]
}

fn users(w: &'static Wiring) -> Vec<Named> {
    let (s, gate, pw) = (&w.stores, w.gate(), &w.passwords);
    vec![
        ("user-profile", http(move |r| user_profile::handle(gate, s.users, pw, w.fanout(), r))),
        ("user-list", http(move |r| user_list::handle(gate, s.users, s.presence, s.last_seen, r))),
        ("presence-list", http(move |r| presence_list::handle(gate, s.presence, r))),
        ("presence-count", http(move |r| presence_count::handle(gate, s.presence, r))),
        ("presence-user", http(move |r| presence_user::handle(gate, s.users, s.presence, s.last_seen, r))),
    ]
}

fn conversations(w: &'static Wiring) -> Vec<Named> {
    let (s, gate) = (&w.stores, w.gate());
    vec![
        (
            "conversation-create",
            http(move |r| conversation_create::handle(gate, s.users, s.conversations, r)),
        ),
        ("conversation-list", http(move |r| conversation_list::handle(gate, s.users, s.conversations, r))),
        ("conversation-get", http(move |r| conversation_get::handle(gate, s.users, s.conversations, r))),
        ("conversation-read", http(move |r| conversation_read::handle(gate, w.chat().for_reading(), r))),
    ]
}

fn messages(w: &'static Wiring) -> Vec<Named> {
    let (s, gate) = (&w.stores, w.gate());
    vec![
        ("message-send", http(move |r| message_send::handle(gate, w.chat(), r))),
        ("message-list", http(move |r| message_list::handle(gate, w.members(), s.messages, r))),
        ("message-read", http(move |r| message_read::handle(gate, w.chat().for_reading(), r))),
        ("message-edit", http(move |r| message_edit::handle(gate, w.chat().for_changes(), r))),
        ("message-delete", http(move |r| message_delete::handle(gate, w.chat().for_changes(), r))),
        ("message-unread-count", http(move |r| message_unread_count::handle(gate, s.conversations, r))),
        ("message-search", http(move |r| message_search::handle(gate, w.members(), s.messages, s.search, r))),
    ]
}

fn sockets(w: &'static Wiring) -> Vec<Named> {
    let (s, gate, timers) = (&w.stores, w.gate(), w.timers);
    let announcer = w.announcer();
    let frame = ws_message::Ports {
        gate,
        chat: w.chat(),
        heartbeats: s.heartbeats,
        presence: s.presence,
        announcer,
        timers,
    };
    let heart = ws_heartbeat::Ports {
        users: s.users,
        sessions: s.sessions,
        heartbeats: s.heartbeats,
        presence: s.presence,
        last_seen: s.last_seen,
        announcer,
    };
    vec![
        (
            "ws-connect",
            websocket(move |e| ws_connect::handle(gate, s.connections, w.functions, &w.realtime, e)),
        ),
        ("ws-open", async_event(move |e| ws_open::handle(s.sessions, announcer, timers, e))),
        ("ws-fanout", async_event(move |e| ws_fanout::handle(announcer, s.conversations, e))),
        ("ws-message", websocket(move |e| ws_message::handle(frame, e))),
        ("ws-disconnect", websocket(move |e| ws_disconnect::handle(w.fanout(), e))),
        ("ws-heartbeat", schedule(move |tick| ws_heartbeat::handle(heart, timers, tick))),
    ]
}

fn automatic(w: &'static Wiring) -> Vec<Named> {
    let (s, planner) = (&w.stores, &w.planner);
    let (plan, outbox) = (s.auto_messages, s.broker.outbox());
    let consumer = auto_message_consumer::Ports { auto_messages: plan, outbox, chat: w.chat() };
    vec![
        ("auto-message-planner", schedule(move |t| auto_message_planner::handle(s.users, plan, planner, t))),
        ("auto-message-queuer", schedule(move |t| auto_message_queuer::handle(plan, outbox, t))),
        ("auto-message-consumer", queue(move |b| auto_message_consumer::handle(consumer, b))),
    ]
}

fn indexing(w: &'static Wiring) -> Vec<Named> {
    let (index_backlog, outbox) = (w.stores.index_backlog, w.stores.broker.outbox());
    let index = w.stores.index.map(|index| index as &dyn SearchIndexWriter);
    let indexer = message_indexer::Ports { index_backlog, index, outbox };
    vec![
        (
            "message-index-sweeper",
            schedule(move |t| message_index_sweeper::handle(index_backlog, index, outbox, t)),
        ),
        ("message-indexer", queue(move |b| message_indexer::handle(indexer, b))),
    ]
}

/// Adds a function as the emulator calls it: bytes and a context in, bytes or a function error out.
fn add(registry: &mut Registry, name: &str, entry: Entry) {
    registry.add(name, move |invocation, context| {
        let entry = entry.clone();
        async move {
            let reply = invoke(&entry, context.request_id, context.deadline_ms, &invocation.payload).await;
            match reply {
                Ok(json) => Ok(Bytes::from(json)),
                Err(failed) => Err(FunctionError::new(failed.error_type, failed.error_message)),
            }
        }
    });
}
