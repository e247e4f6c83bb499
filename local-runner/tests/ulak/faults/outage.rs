//! Documents, sessions and search while their server is cut off, silent or slow.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::fault_proxy::Fault;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::Person;
use test_support::proxied_server::ProxiedServer;
use test_support::test_server::TestServer;
use test_support::unique_name;

use crate::server::own_server;

/// The longest that anybody waits for an answer.
const BOUND: Duration = Duration::from_secs(6);
/// How soon everything works again.
const HEALED: Duration = Duration::from_secs(20);

/// A system with one of its servers behind a proxy.
struct Scene {
    server: TestServer,
    proxy: ProxiedServer,
    ada: Person,
    bob: Person,
    conversation: String,
}

impl Scene {
    fn of(variable: &str) -> Option<Self> {
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

    /// Until it succeeds; a client that repeats under its key.
    fn until_healed(&self, call: &HttpRequest) -> HttpResponse {
        let start = Instant::now();
        loop {
            let answer = call.send();
            if answer.status < 300 {
                return answer;
            }
            assert_eq!((answer.status, answer.code().as_str()), (503, "UNAVAILABLE"), "{}", answer.text());
            assert!(start.elapsed() < HEALED, "not healed after {HEALED:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Every key's message is there once, in the order of `seq`, and nothing else is.
    fn holds(&self, keys: &[String]) {
        let history = self.bob.whole_history(&self.conversation);
        let mut found: Vec<&str> = history.iter().map(|m| m["clientMessageId"].as_str().unwrap()).collect();
        found.sort_unstable();
        let mut expected: Vec<&str> = keys.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    fn down(&self) -> Value {
        self.server.request("GET", "/api/health").send().json()["data"]["down"].take()
    }
}

/// Sends at once; all answers in time.
fn in_time(calls: &[HttpRequest]) -> Vec<HttpResponse> {
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
    assert!(slowest < BOUND, "somebody waited {slowest:?}");
    answers.into_iter().map(|(answer, _)| answer).collect()
}

fn all_unavailable(calls: &[HttpRequest]) {
    for answer in in_time(calls) {
        assert_eq!((answer.status, answer.code().as_str()), (503, "UNAVAILABLE"), "{}", answer.text());
        assert!(!answer.text().contains("127.0.0.1"), "no address is told: {}", answer.text());
    }
}

/// What must hold for the store of messages and for the store of sessions alike.
fn outages_of(variable: &str, name: &str) {
    let Some(scene) = Scene::of(variable) else { return };
    let mut keys = vec![unique_name()];
    scene.send(&keys[0]).data(201);
    for fault in [Fault::Refusing, Fault::Silent, Fault::Refusing] {
        scene.proxy.set(fault);
        let lost: Vec<String> = (0..6).map(|_| unique_name()).collect();
        let mut calls: Vec<HttpRequest> = lost.iter().map(|key| scene.send(key)).collect();
        calls.push(scene.ada.get("/api/conversations"));
        calls.push(scene.bob.get(&format!("/api/messages/{}", scene.conversation)));
        calls.push(scene.ada.get("/api/auth/me"));
        all_unavailable(&calls);
        assert_eq!(scene.down(), json!([name]));
        scene.proxy.set(Fault::None);
        // Whoever got 503 sends the same again, and nothing is there twice.
        for key in &lost {
            scene.until_healed(&scene.send(key));
        }
        keys.extend(lost);
        scene.holds(&keys);
        scene.server.request("GET", "/api/health").data(200);
    }
    blinks(&scene, &mut keys);
    scene.proxy.set(Fault::Slow(Duration::from_millis(20)));
    let slow: Vec<String> = (0..4).map(|_| unique_name()).collect();
    let calls: Vec<HttpRequest> = slow.iter().map(|key| scene.send(key)).collect();
    assert!(in_time(&calls).iter().all(|answer| answer.status == 201), "slow is not down");
    keys.extend(slow);
    scene.proxy.set(Fault::None);
    scene.holds(&keys);
}

/// Connections end again and again under writers who repeat what got no answer; each message is there once.
fn blinks(scene: &Scene, keys: &mut Vec<String>) {
    let more: Vec<String> = (0..40).map(|_| unique_name()).collect();
    thread::scope(|scope| {
        for part in more.chunks(10) {
            scope.spawn(|| part.iter().for_each(|key| drop(scene.until_healed(&scene.send(key)))));
        }
        for _ in 0..8 {
            thread::sleep(Duration::from_millis(40));
            scene.proxy.cut_connections();
        }
    });
    keys.extend(more);
    scene.holds(keys);
}

#[test]
fn messages_exist_once_after_document_store_outages() {
    outages_of("MONGODB_URI", "mongodb");
}

#[test]
fn messages_exist_once_after_session_store_outages() {
    outages_of("REDIS_URL", "redis");
}

/// Without the index nobody searches, and everybody writes; what was written meanwhile is found afterwards.
#[test]
fn messages_sent_during_an_index_outage_are_found_afterwards() {
    let Some(scene) = Scene::of("ELASTICSEARCH_URL") else { return };
    let found = |key: &str| scene.bob.get(&format!("/api/messages/search?q={key}"));
    let until_found = |key: &str| {
        let start = Instant::now();
        while scene.until_healed(&found(key)).data()["hits"] == json!([]) {
            assert!(start.elapsed() < HEALED * 2, "{key} is not found");
            thread::sleep(Duration::from_millis(100));
        }
    };
    let mut keys = vec![unique_name()];
    scene.send(&keys[0]).data(201);
    until_found(&keys[0]);
    for fault in [Fault::Refusing, Fault::Silent] {
        scene.proxy.set(fault);
        let meanwhile: Vec<String> = (0..6).map(|_| unique_name()).collect();
        let calls: Vec<HttpRequest> = meanwhile.iter().map(|key| scene.send(key)).collect();
        assert!(in_time(&calls).iter().all(|answer| answer.status == 201), "writing needs no index");
        all_unavailable(&[found(&keys[0]), found(&meanwhile[0])]);
        assert_eq!(scene.down(), json!(["elasticsearch"]));
        scene.proxy.set(Fault::None);
        meanwhile.iter().for_each(|key| until_found(key));
        keys.extend(meanwhile);
    }
    scene.holds(&keys);
}
