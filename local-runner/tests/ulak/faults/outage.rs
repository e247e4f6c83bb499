//! Documents, sessions and search while their server refuses connections, does not answer, or is slow.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::fault_proxy::Fault;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::Person;
use test_support::proxied_server::ProxiedServer;
use test_support::test_server::{TestServer, leaves_process_mode};
use test_support::unique_name;

use crate::server::own_server;

/// The longest time of a request during an outage.
const TIME_LIMIT: Duration = Duration::from_secs(6);
/// The longest time until everything works after an outage.
const RECOVERY_LIMIT: Duration = Duration::from_secs(20);

/// A runner with one of its servers behind a proxy, and two users.
struct ProxiedSystem {
    server: TestServer,
    proxy: ProxiedServer,
    ada: Person,
    bob: Person,
    conversation: String,
}

impl ProxiedSystem {
    fn start(variable: &str) -> Option<Self> {
        let proxy = ProxiedServer::from_env(variable)?;
        let own = unique_name();
        let server = own_server(&[
            (variable, &proxy.url),
            ("MONGODB_DATABASE", &own),
            ("REDIS_PREFIX", &own),
            ("ELASTICSEARCH_INDEX", &own),
        ]);
        let (ada, bob, conversation) = server.pair();
        Some(Self { server, proxy, ada, bob, conversation })
    }

    fn send(&self, key: &str) -> HttpRequest {
        let body = json!({ "conversationId": self.conversation, "content": key, "clientMessageId": key });
        self.ada.post("/api/messages/send", &body)
    }

    /// Repeats a request until it succeeds, as a client does with its key. Every failure must be a 503.
    fn repeat_until_success(&self, call: &HttpRequest) -> HttpResponse {
        let start = Instant::now();
        loop {
            let answer = call.send();
            if answer.status < 300 {
                return answer;
            }
            assert_eq!((answer.status, answer.code().as_str()), (503, "UNAVAILABLE"), "{}", answer.text());
            assert!(start.elapsed() < RECOVERY_LIMIT, "no success after {RECOVERY_LIMIT:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The conversation contains exactly one message for every key.
    fn assert_contains(&self, keys: &[String]) {
        let history = self.bob.whole_history(&self.conversation);
        let mut found: Vec<&str> = history.iter().map(|m| m["clientMessageId"].as_str().unwrap()).collect();
        found.sort_unstable();
        let mut expected: Vec<&str> = keys.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    /// The names of the stores that `/api/health` reports as down.
    fn stores_down(&self) -> Value {
        self.server.request("GET", "/api/health").send().json()["data"]["down"].take()
    }
}

/// Sends all calls at the same time. Each must be answered within [`TIME_LIMIT`].
fn send_in_time(calls: &[HttpRequest]) -> Vec<HttpResponse> {
    let answers = thread::scope(|scope| {
        let threads: Vec<_> = calls
            .iter()
            .map(|call| {
                scope.spawn(|| {
                    let start = Instant::now();
                    (call.send(), start.elapsed())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let slowest = answers.iter().map(|(_, took)| *took).max().unwrap_or_default();
    assert!(slowest < TIME_LIMIT, "a request took {slowest:?}");
    answers.into_iter().map(|(answer, _)| answer).collect()
}

fn assert_unavailable(calls: &[HttpRequest]) {
    for answer in send_in_time(calls) {
        assert_eq!((answer.status, answer.code().as_str()), (503, "UNAVAILABLE"), "{}", answer.text());
        assert!(!answer.text().contains("127.0.0.1"), "the reply contains an address: {}", answer.text());
    }
}

/// The rules for the document store and for the session store.
fn check_outages(variable: &str, name: &str) {
    let Some(system) = ProxiedSystem::start(variable) else { return };
    let mut keys = vec![unique_name()];
    system.send(&keys[0]).data(201);
    for fault in [Fault::Refusing, Fault::Silent, Fault::Refusing] {
        system.proxy.set(fault);
        let failed: Vec<String> = (0..6).map(|_| unique_name()).collect();
        let mut calls: Vec<HttpRequest> = failed.iter().map(|key| system.send(key)).collect();
        calls.push(system.ada.get("/api/conversations"));
        calls.push(system.bob.get(&format!("/api/messages/{}", system.conversation)));
        calls.push(system.ada.get("/api/auth/me"));
        assert_unavailable(&calls);
        assert_eq!(system.stores_down(), json!([name]));
        system.proxy.set(Fault::None);
        // Clients repeat what got 503; no message is stored twice.
        for key in &failed {
            system.repeat_until_success(&system.send(key));
        }
        keys.extend(failed);
        system.assert_contains(&keys);
        system.server.request("GET", "/api/health").data(200);
    }
    cut_connections_under_load(&system, &mut keys);
    system.proxy.set(Fault::Slow(Duration::from_millis(20)));
    let slow: Vec<String> = (0..4).map(|_| unique_name()).collect();
    let calls: Vec<HttpRequest> = slow.iter().map(|key| system.send(key)).collect();
    assert!(send_in_time(&calls).iter().all(|answer| answer.status == 201), "a slow server caused a failure");
    keys.extend(slow);
    system.proxy.set(Fault::None);
    system.assert_contains(&keys);
}

/// Cuts all connections several times while clients send, and repeat what fails. Each message is stored once.
fn cut_connections_under_load(system: &ProxiedSystem, keys: &mut Vec<String>) {
    let more: Vec<String> = (0..40).map(|_| unique_name()).collect();
    thread::scope(|scope| {
        for part in more.chunks(10) {
            scope.spawn(|| part.iter().for_each(|key| drop(system.repeat_until_success(&system.send(key)))));
        }
        for _ in 0..8 {
            thread::sleep(Duration::from_millis(40));
            system.proxy.cut_connections();
        }
    });
    keys.extend(more);
    system.assert_contains(keys);
}

#[test]
fn messages_exist_once_after_document_store_outages() {
    check_outages("MONGODB_URI", "mongodb");
}

#[test]
fn messages_exist_once_after_session_store_outages() {
    check_outages("REDIS_URL", "redis");
}

/// Without the index, searching fails and sending succeeds.
#[test]
fn messages_sent_during_an_index_outage_are_found_afterwards() {
    if leaves_process_mode("it asks for the state of a store that the deployed function health does not use")
    {
        return;
    }
    let Some(system) = ProxiedSystem::start("ELASTICSEARCH_URL") else { return };
    let search = |key: &str| system.bob.get(&format!("/api/messages/search?q={key}"));
    let wait_until_found = |key: &str| {
        let start = Instant::now();
        while system.repeat_until_success(&search(key)).data()["hits"] == json!([]) {
            assert!(start.elapsed() < RECOVERY_LIMIT * 2, "{key} is not found");
            thread::sleep(Duration::from_millis(100));
        }
    };
    let mut keys = vec![unique_name()];
    system.send(&keys[0]).data(201);
    wait_until_found(&keys[0]);
    for fault in [Fault::Refusing, Fault::Silent] {
        system.proxy.set(fault);
        let meanwhile: Vec<String> = (0..6).map(|_| unique_name()).collect();
        let calls: Vec<HttpRequest> = meanwhile.iter().map(|key| system.send(key)).collect();
        assert!(
            send_in_time(&calls).iter().all(|answer| answer.status == 201),
            "sending failed without the index"
        );
        assert_unavailable(&[search(&keys[0]), search(&meanwhile[0])]);
        assert_eq!(system.stores_down(), json!(["elasticsearch"]));
        system.proxy.set(Fault::None);
        meanwhile.iter().for_each(|key| wait_until_found(key));
        keys.extend(meanwhile);
    }
    system.assert_contains(&keys);
}
