//! Every function of the template with the ports that it may use, as in the function's own `main.rs`.

use bytes::Bytes;
use sam_emulator::invoke::{FunctionError, Registry};
use sam_emulator::plan::Plan;
use shared::lambda::{Entry, async_event, http, invoke, queue, schedule, websocket};
use shared::ports::SearchIndexWriter;

use crate::wiring::{FunctionWiring, Wiring};

/// All functions: each function of the template with its own settings, and every other one, under the name of its
/// binary, with the defaults.
pub(crate) fn registry(plan: &Plan, wiring: &'static Wiring) -> Registry {
    let mut registry = Registry::default();
    for (name, entry) in all(wiring.of("")) {
        add(&mut registry, name, entry);
    }
    for function in plan.functions.values() {
        let own = all(wiring.of(&function.name));
        for (_, entry) in own.filter(|(name, _)| *name == function.binary) {
            add(&mut registry, &function.name, entry);
        }
    }
    registry
}

fn all(w: FunctionWiring) -> impl Iterator<Item = Named> {
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
    all.into_iter().flatten()
}

type Named = (&'static str, Entry);

fn pages(w: FunctionWiring) -> Vec<Named> {
    vec![("chat-page", http(move |r| chat_page::handle(&w.settings.chat_page, r)))]
}

fn descriptions() -> Vec<Named> {
    vec![("api-description", http(api_description::handle)), ("api-docs", http(api_docs::handle))]
}

fn auth(w: FunctionWiring) -> Vec<Named> {
    let (s, gate, pw) = (&w.shared.stores, w.gate(), &w.settings.passwords);
    vec![
        ("auth-register", http(move |r| auth_register::handle(gate, s.users, pw, r))),
        ("auth-login", http(move |r| auth_login::handle(gate, s.users, pw, r))),
        ("auth-refresh", http(move |r| auth_refresh::handle(gate, s.users, w.shared.fanout(), r))),
        ("auth-logout", http(move |r| auth_logout::handle(gate, w.shared.fanout(), r))),
        ("auth-sessions", http(move |r| auth_sessions::handle(gate, r))),
        ("auth-session-end", http(move |r| auth_session_end::handle(gate, w.shared.fanout(), r))),
        ("auth-delete", http(move |r| auth_delete::handle(gate, s.users, pw, w.shared.fanout(), r))),
        ("auth-me", http(move |r| auth_me::handle(gate, s.users, r))),
        ("health", http(move |r| health::handle(gate, &s.probes, r))),
    ]
}

fn users(w: FunctionWiring) -> Vec<Named> {
    let (s, gate, pw) = (&w.shared.stores, w.gate(), &w.settings.passwords);
    vec![
        ("user-profile", http(move |r| user_profile::handle(gate, s.users, pw, w.shared.fanout(), r))),
        ("user-list", http(move |r| user_list::handle(gate, s.users, s.presence, s.last_seen, r))),
        ("presence-list", http(move |r| presence_list::handle(gate, s.presence, r))),
        ("presence-count", http(move |r| presence_count::handle(gate, s.presence, r))),
        ("presence-user", http(move |r| presence_user::handle(gate, s.users, s.presence, s.last_seen, r))),
    ]
}

fn conversations(w: FunctionWiring) -> Vec<Named> {
    let (s, gate) = (&w.shared.stores, w.gate());
    vec![
        (
            "conversation-create",
            http(move |r| conversation_create::handle(gate, s.users, s.conversations, r)),
        ),
        ("conversation-list", http(move |r| conversation_list::handle(gate, s.users, s.conversations, r))),
        ("conversation-get", http(move |r| conversation_get::handle(gate, s.users, s.conversations, r))),
        (
            "conversation-read",
            http(move |r| conversation_read::handle(gate, w.shared.chat().for_reading(), r)),
        ),
    ]
}

fn messages(w: FunctionWiring) -> Vec<Named> {
    let (s, gate) = (&w.shared.stores, w.gate());
    vec![
        ("message-send", http(move |r| message_send::handle(gate, w.shared.chat(), r))),
        ("message-list", http(move |r| message_list::handle(gate, w.shared.members(), s.messages, r))),
        ("message-read", http(move |r| message_read::handle(gate, w.shared.chat().for_reading(), r))),
        ("message-edit", http(move |r| message_edit::handle(gate, w.shared.chat().for_changes(), r))),
        ("message-delete", http(move |r| message_delete::handle(gate, w.shared.chat().for_changes(), r))),
        ("message-unread-count", http(move |r| message_unread_count::handle(gate, s.conversations, r))),
        (
            "message-search",
            http(move |r| message_search::handle(gate, w.shared.members(), s.messages, s.search, r)),
        ),
    ]
}

fn sockets(w: FunctionWiring) -> Vec<Named> {
    let (s, gate, timers) = (&w.shared.stores, w.gate(), w.settings.timers);
    let announcer = w.announcer();
    let frame = ws_message::Ports {
        gate,
        chat: w.shared.chat(),
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
            websocket(move |e| {
                ws_connect::handle(gate, s.connections, w.shared.functions, &w.settings.realtime, e)
            }),
        ),
        ("ws-open", async_event(move |e| ws_open::handle(s.sessions, announcer, timers, e))),
        ("ws-fanout", async_event(move |e| ws_fanout::handle(announcer, s.conversations, e))),
        ("ws-message", websocket(move |e| ws_message::handle(frame, e))),
        ("ws-disconnect", websocket(move |e| ws_disconnect::handle(w.shared.fanout(), e))),
        ("ws-heartbeat", schedule(move |tick| ws_heartbeat::handle(heart, timers, tick))),
    ]
}

fn automatic(w: FunctionWiring) -> Vec<Named> {
    let (s, planner) = (&w.shared.stores, &w.settings.planner);
    let (plan, outbox) = (s.auto_messages, s.broker.outbox());
    let consumer = auto_message_consumer::Ports { auto_messages: plan, outbox, chat: w.shared.chat() };
    vec![
        ("auto-message-planner", schedule(move |t| auto_message_planner::handle(s.users, plan, planner, t))),
        ("auto-message-queuer", schedule(move |t| auto_message_queuer::handle(plan, outbox, t))),
        ("auto-message-consumer", queue(move |b| auto_message_consumer::handle(consumer, b))),
    ]
}

fn indexing(w: FunctionWiring) -> Vec<Named> {
    let (index_backlog, outbox) = (w.shared.stores.index_backlog, w.shared.stores.broker.outbox());
    let index = w.shared.stores.index.map(|index| index as &dyn SearchIndexWriter);
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
