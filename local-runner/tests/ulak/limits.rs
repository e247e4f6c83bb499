//! Rate limits, made small by `RATE_LIMIT_SCALE`: what they count, by which key, and the reply.

use serde_json::json;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::Person;
use test_support::test_server::TestServer;
use test_support::unique_name;

use crate::server::own_server;

/// Sends until the reply is 429, at most `most` times. Returns how many requests passed, and the 429.
fn until_limited(call: &HttpRequest, most: usize) -> (usize, HttpResponse) {
    until_all_limited(most, || call.clone())
}

/// [`until_limited`] with a new request each time.
fn until_all_limited(most: usize, call: impl Fn() -> HttpRequest) -> (usize, HttpResponse) {
    for passed in 0..most {
        let answer = call().send();
        if answer.status == 429 {
            return (passed, answer);
        }
    }
    panic!("none of {most} requests was limited");
}

fn registration(server: &TestServer) -> HttpRequest {
    let name = unique_name();
    let form = json!({ "username": name, "email": format!("{name}@example.com"), "password": "8 horses" });
    server.request("POST", "/api/auth/register").json(&form)
}

fn assert_limited(answer: &HttpResponse, limit: &str, window_secs: u64) {
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
    assert_limited(&refused, "2", 600);
    login(&ada.username, Person::PASSWORD).data(200);
    login(&bob.email, Person::PASSWORD).data(200);
    let change = json!({ "password": "another password", "currentPassword": Person::PASSWORD });
    ada.put("/api/user/profile", &change).data(200);
    let (_, refused) = until_limited(&login(&unique_name(), "8 horses"), 30);
    assert_limited(&refused, "2", 600);
    let (_, refused) = until_all_limited(30, || login(&unique_name(), "8 horses"));
    assert_limited(&refused, "10", 600);
}

#[test]
fn registrations_are_limited_per_address() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.03")]);
    let (registered, refused) = until_all_limited(10, || registration(&server));
    assert!((3..=6).contains(&registered), "{registered} registrations");
    assert_limited(&refused, "3", 3_600);
}

/// At a scale of 0.01 the limits per minute are 12 messages and 30 requests per user, and 30 requests without a token
/// per address.
#[test]
fn messages_and_requests_are_limited_per_user() {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.01")]);
    let ada = server.person();
    assert_limited(&until_all_limited(3, || registration(&server)).1, "1", 3_600);
    let send = ada.post("/api/messages/send", &json!({ "receiverId": "no-such-user", "content": "x" }));
    let (sent, refused) = until_limited(&send, 40);
    assert!((12..=24).contains(&sent), "{sent} messages");
    assert_limited(&refused, "12", 60);
    let (_, refused) = until_limited(&ada.get("/api/auth/me"), 70);
    assert_limited(&refused, "30", 60);
    let (passed, refused) = until_limited(&server.request("GET", "/api/health"), 70);
    assert!(passed > 0, "requests with a token count for the address");
    assert_limited(&refused, "30", 60);
    let invalid = server.request("GET", "/api/auth/me").bearer("nonsense");
    assert_limited(&until_limited(&invalid, 70).1, "30", 60);
}

#[test]
fn invalid_rate_limit_scale_fails_at_start() {
    let output = std::process::Command::new(crate::server::BINARY)
        .args(["--port", "0", "--data", ":memory:", "--template"])
        .arg(test_support::repository().join("template.yaml"))
        .env("RATE_LIMIT_SCALE", "much")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("RATE_LIMIT_SCALE"), "{text}");
}
