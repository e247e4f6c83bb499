//! Concurrent requests: one conversation per pair, one message per key, one successor per refresh token, and replies
//! while passwords are hashed.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::Person;
use test_support::unique_name;

use crate::server::shared_server;

/// Sends all calls at the same time.
fn send_concurrently(calls: &[HttpRequest]) -> Vec<HttpResponse> {
    let start = Barrier::new(calls.len());
    thread::scope(|scope| {
        let send = |call: &'_ HttpRequest| {
            start.wait();
            call.send()
        };
        let threads: Vec<_> = calls.iter().map(|call| scope.spawn(move || send(call))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn fifty_concurrent_first_messages_create_one_conversation() {
    let server = shared_server();
    for _ in 0..3 {
        let (ada, bob) = (server.person(), server.person());
        let send = |n: usize| {
            let (from, to) = if n.is_multiple_of(2) { (&ada, &bob) } else { (&bob, &ada) };
            from.post("/api/messages/send", &json!({ "receiverId": to.id, "content": format!("{n}") }))
        };
        let calls: Vec<HttpRequest> = (0..50).map(send).collect();
        let answers = send_concurrently(&calls);
        assert!(
            answers.iter().all(|answer| answer.status == 201),
            "{:?}",
            answers.iter().find(|a| a.status != 201)
        );
        for person in [&ada, &bob] {
            let data = person.get("/api/conversations").data(200);
            let conversations = data["conversations"].as_array().unwrap();
            assert_eq!(conversations.len(), 1, "{data}");
            let all = person.whole_history(conversations[0]["id"].as_str().unwrap());
            let contents: BTreeSet<&str> = all.iter().map(|m| m["content"].as_str().unwrap()).collect();
            let seqs: BTreeSet<u64> = all.iter().map(|m| m["seq"].as_u64().unwrap()).collect();
            assert_eq!((all.len(), contents.len(), seqs.len()), (50, 50, 50));
            assert_eq!(conversations[0]["unreadCount"], 25);
        }
    }
}

#[test]
fn concurrent_calls_create_one_conversation() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let open = |n: usize| {
        let (from, to) = if n.is_multiple_of(2) { (&ada, &bob) } else { (&bob, &ada) };
        from.post("/api/conversations", &json!({ "participantId": to.id }))
    };
    let answers = send_concurrently(&(0..20).map(open).collect::<Vec<_>>());
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let ids: BTreeSet<String> =
        answers.iter().map(|answer| answer.data()["conversation"]["id"].to_string()).collect();
    assert_eq!((created, ids.len()), (1, 1));
}

#[test]
fn twenty_concurrent_repeats_create_one_message() {
    let (ada, bob, conversation) = shared_server().pair();
    let body = json!({ "conversationId": conversation, "content": "once", "clientMessageId": unique_name() });
    let answers = send_concurrently(&vec![ada.post("/api/messages/send", &body); 20]);
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let messages: BTreeSet<String> =
        answers.iter().map(|answer| answer.data()["message"].to_string()).collect();
    assert_eq!(messages.len(), 1, "the replies contain different messages");
    assert_eq!((bob.whole_history(&conversation).len(), bob.unread_in(&conversation)), (1, 1));
}

#[test]
fn ten_concurrent_refreshes_of_one_token_get_one_successor() {
    let ada = shared_server().person();
    let answers = send_concurrently(&vec![refresh(&ada); 10]);
    let successors: BTreeSet<String> =
        answers.iter().map(|answer| answer.data()["refreshToken"].to_string()).collect();
    assert_eq!(successors.len(), 1);
    for answer in &answers {
        let token = answer.data()["accessToken"].as_str().unwrap().to_owned();
        Person { access_token: token, ..ada.clone() }.me();
    }
}

/// The two tabs of a hundred users refresh at the same moment, five times.
#[test]
fn a_hundred_pairs_of_tabs_that_refresh_at_once_stay_logged_in() {
    let server = shared_server();
    let mut people: Vec<Person> = (0..100).map(|_| server.person()).collect();
    for _ in 0..5 {
        let calls: Vec<HttpRequest> =
            people.iter().flat_map(|person| [refresh(person), refresh(person)]).collect();
        let answers = send_concurrently(&calls);
        for (person, tabs) in people.iter_mut().zip(answers.chunks(2)) {
            let [first, second] = [&tabs[0], &tabs[1]].map(|tab| {
                assert_eq!(tab.status, 200, "{}", tab.text());
                tab.data()["refreshToken"].as_str().unwrap().to_owned()
            });
            assert_eq!(first, second);
            person.access_token = tabs[1].data()["accessToken"].as_str().unwrap().to_owned();
            person.refresh_token = second;
        }
    }
    people.iter().for_each(|person| drop(person.me()));
}

fn refresh(person: &Person) -> HttpRequest {
    HttpRequest::new(person.port, "POST", "/api/auth/refresh")
        .json(&json!({ "refreshToken": person.refresh_token }))
}

#[test]
fn concurrent_registrations_of_one_name_create_one_user() {
    let server = shared_server();
    let name = unique_name();
    let register = |n: usize| {
        let name = if n.is_multiple_of(2) { name.clone() } else { name.to_uppercase() };
        let form = json!({ "username": name, "email": format!("{}@example.com", unique_name()), "password": "8 horses" });
        server.request("POST", "/api/auth/register").json(&form)
    };
    let answers = send_concurrently(&(0..8).map(register).collect::<Vec<_>>());
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

/// One fast round of five is enough, because the machine may be busy. A server that hashes on its event loop is slow in
/// every round.
#[test]
fn health_answers_while_eight_logins_hash() {
    let server = shared_server();
    let ada = server.person();
    let form = json!({ "email": ada.email, "password": "wrong wrong" });
    let (login, health) =
        (server.request("POST", "/api/auth/login").json(&form), server.request("GET", "/api/health"));
    let rounds =
        (0..5).map(|_| (median((0..5).map(|_| timed(&login)).collect()), while_hashing(&login, &health)));
    let mut seen = Vec::new();
    for (alone, during) in rounds {
        if during < alone * 2 + Duration::from_millis(10) {
            return;
        }
        seen.push((alone, during));
    }
    panic!("time of one login, and of health during eight: {seen:?}");
}

/// The median time of health while eight clients log in, three times each.
fn while_hashing(login: &HttpRequest, health: &HttpRequest) -> Duration {
    thread::scope(|scope| {
        let log_in = || (0..3).for_each(|_| drop(login.send()));
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(log_in)).collect();
        let mut during = Vec::new();
        while logins.iter().any(|login| !login.is_finished()) {
            during.push(timed(health));
        }
        median(during)
    })
}

fn timed(call: &HttpRequest) -> Duration {
    let begin = Instant::now();
    call.send();
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
