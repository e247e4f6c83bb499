//! Rate limits, made small by `RATE_LIMIT_SCALE`: what is counted, by whom, and how it is told.

use serde_json::json;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::Person;
use test_support::test_server::TestServer;
use test_support::unique_name;

use crate::server::own_server;

/// Sends until it is refused, at most `most` times; how many went through, and the refusal.
fn until_limited(call: &HttpRequest, most: usize) -> (usize, HttpResponse) {
    until_all_limited(most, || call.clone())
}

/// The same with a new request each time.
fn until_all_limited(most: usize, call: impl Fn() -> HttpRequest) -> (usize, HttpResponse) {
    for passed in 0..most {
        let answer = call().send();
        if answer.status == 429 {
            return (passed, answer);
        }
    }
    panic!("{most} requests and no limit");
}

fn registration(server: &TestServer) -> HttpRequest {
    let name = unique_name();
    let form = json!({ "username": name, "email": format!("{name}@example.com"), "password": "8 horses" });
    server.request("POST", "/api/auth/register").json(&form)
}

fn assert_told(answer: &HttpResponse, limit: &str, window_secs: u64) {
    assert_eq!(answer.code(), "RATE_LIMITED");
    let number =
        |name: &str| answer.header(name).unwrap_or_else(|| panic!("no {name}")).parse::<u64>().unwrap();
    assert_eq!((answer.header("ratelimit-limit"), number("ratelimit-remaining")), (Some(limit), 0));
    let wait = number("retry-after");
    assert!((1..=window_secs).contains(&wait), "retry-after {wait}");
    assert_eq!(number("ratelimit-reset"), wait);
    assert!(answer.header("x-request-id").is_some() && answer.header("cache-control") == Some("no-store"));
}

/// At a scale of 0.1 one name takes 2 failed logins in ten minutes from one address, and an address 10.
#[test]
fn failed_logins_are_counted_by_name_and_by_address() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.1")]);
    let (ada, bob) = (server.person(), server.person());
    let login = |name: &str, password: &str| {
        let form = json!({ "email": name, "password": password });
        server.request("POST", "/api/auth/login").json(&form)
    };
    for _ in 0..5 {
        login(&ada.email, Person::PASSWORD).data(200);
    }
    let (wrong, refused) = until_limited(&login(&ada.email, "wrong password"), 10);
    // A window's end may fall between two of the requests, which then begin another one.
    assert!((2..=4).contains(&wrong), "{wrong} guesses");
    assert_told(&refused, "2", 600);
    login(&ada.username, Person::PASSWORD).data(200);
    login(&bob.email, Person::PASSWORD).data(200);
    let change = json!({ "password": "another password", "currentPassword": Person::PASSWORD });
    ada.put("/api/user/profile", &change).data(200);
    let (_, refused) = until_limited(&login(&unique_name(), "8 horses"), 30);
    assert_told(&refused, "2", 600);
    let (_, refused) = until_all_limited(30, || login(&unique_name(), "8 horses"));
    assert_told(&refused, "10", 600);
}

#[test]
fn registrations_are_counted_by_address() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.03")]);
    let (registered, refused) = until_all_limited(10, || registration(&server));
    assert!((3..=6).contains(&registered), "{registered} registrations");
    assert_told(&refused, "3", 3_600);
}

/// At 0.01 a user sends 12 messages a minute and asks 30 times, and an address without a token 30 times.
#[test]
fn messages_and_requests_are_counted_by_user_not_by_address() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.01")]);
    let ada = server.person();
    assert_told(&until_all_limited(3, || registration(&server)).1, "1", 3_600);
    let send = ada.post("/api/messages/send", &json!({ "receiverId": "nobody", "content": "x" }));
    let (sent, refused) = until_limited(&send, 40);
    assert!((12..=24).contains(&sent), "{sent} messages");
    assert_told(&refused, "12", 60);
    let (_, refused) = until_limited(&ada.get("/api/auth/me"), 70);
    assert_told(&refused, "30", 60);
    let (asked, refused) = until_limited(&server.request("GET", "/api/health"), 70);
    assert!(asked > 0, "somebody else's limit is not the address's");
    assert_told(&refused, "30", 60);
    let guess = server.request("GET", "/api/auth/me").bearer("nonsense");
    assert_told(&until_limited(&guess, 70).1, "30", 60);
}

#[test]
fn a_scale_of_nothing_is_a_problem_at_the_start() {
    let output = std::process::Command::new(crate::server::BINARY)
        .args(["--port", "0", "--data", ":memory:", "--template"])
        .arg(test_support::repository().join("template.yaml"))
        .env("RATE_LIMIT_SCALE", "much")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("RATE_LIMIT_SCALE"), "{text}");
}
