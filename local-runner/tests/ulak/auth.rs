//! Registration, login, and the access tokens that both return.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::auth::TokenKeys;
use shared::config::Secret;
use shared::id::{Entropy, SessionId, UserId};
use shared::time::Time;
use test_support::person::Person;
use test_support::test_server::JWT_SECRET;
use test_support::unique_name;

use crate::server::shared_server;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn registration_and_login_return_the_same_data() {
    let server = shared_server();
    let name = format!("Ada.{}", unique_name());
    let email = format!("{name}@Example.com");
    let form = json!({ "username": name, "email": email, "password": Person::PASSWORD });
    let registered = server.request("POST", "/api/auth/register").json(&form).data(201);
    let logins = [
        json!({ "email": email, "password": Person::PASSWORD }),
        json!({ "email": email.to_uppercase(), "password": Person::PASSWORD }),
        json!({ "email": format!("  {email} "), "password": Person::PASSWORD }),
        json!({ "username": name, "password": Person::PASSWORD }),
        json!({ "username": name.to_uppercase(), "password": Person::PASSWORD }),
        json!({ "email": name, "password": Person::PASSWORD }),
    ];
    let answers = logins.iter().map(|form| server.request("POST", "/api/auth/login").json(form).data(200));
    for data in std::iter::once(registered).chain(answers) {
        assert_eq!(keys(&data), ["accessToken", "expiresIn", "refreshToken", "user"]);
        let user = &data["user"];
        assert_eq!(
            keys(user),
            ["createdAt", "displayName", "email", "id", "lastSeenAt", "username"],
            "the user has other fields, such as a hash"
        );
        assert_eq!((&user["username"], &user["email"]), (&json!(name), &json!(email)), "as written");
        assert_eq!(data["expiresIn"], 900);
        let me = Person::new(server.port(), &data).me();
        assert_eq!(me["id"], user["id"]);
        for field in ["createdAt", "lastSeenAt"] {
            let text = user[field].as_str().unwrap();
            assert_eq!(Time::parse(text).unwrap().to_string(), text, "UTC with milliseconds");
        }
    }
}

#[test]
fn registration_reports_every_invalid_field() {
    let long = |count: usize| "x".repeat(count);
    let ok = |field: &str, value: Value| {
        let mut form = json!({ "username": unique_name(), "email": format!("{}@example.com", unique_name()), "password": "8 horses" });
        form[field] = value;
        form
    };
    let cases = [
        (json!({}), vec!["username", "email", "password"]),
        (
            json!({ "username": "ab", "email": "ab", "password": "1234567" }),
            vec!["username", "email", "password"],
        ),
        (json!({ "username": 1, "email": [], "password": true }), vec!["username", "email", "password"]),
        (json!({ "username": null, "email": null, "password": null }), vec!["username", "email", "password"]),
        (json!([]), vec!["body"]),
        (json!("text"), vec!["body"]),
        (json!(null), vec!["body"]),
        (ok("username", json!("ab")), vec!["username"]),
        (ok("username", json!(long(31))), vec!["username"]),
        (ok("username", json!("with space")), vec!["username"]),
        (ok("username", json!("çağrı")), vec!["username"]),
        (ok("username", json!("a\u{0}bc")), vec!["username"]),
        (ok("username", json!("a@b.co")), vec!["username"]),
        (ok("email", json!("no-at.example.com")), vec!["email"]),
        (ok("email", json!("a@b")), vec!["email"]),
        (ok("email", json!("a b@example.com")), vec!["email"]),
        (ok("email", json!(format!("{}@example.com", long(65)))), vec!["email"]),
        (ok("password", json!("1234567")), vec!["password"]),
        (ok("password", json!(long(129))), vec!["password"]),
        (ok("password", json!("ş".repeat(7))), vec!["password"]),
        (ok("role", json!("admin")), vec!["role"]),
        (ok("id", json!("mine")), vec!["id"]),
        (ok("__proto__", json!({ "admin": true })), vec!["__proto__"]),
    ];
    for (form, fields) in cases {
        let answer =
            shared_server().request("POST", "/api/auth/register").json(&form).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields, "{form}");
    }
}

#[test]
fn registration_accepts_values_at_the_limits() {
    let server = shared_server();
    let padded = |length: usize| {
        let name = unique_name();
        format!("{name}{}", "x".repeat(length - name.len()))
    };
    let cases = [
        (padded(30), "8 horses".to_owned()),
        (unique_name(), "ş".repeat(128)),
        (format!("{}_.-", unique_name()), " spaces count ".to_owned()),
    ];
    for (username, password) in cases {
        let email = format!("{}@example.com", unique_name());
        let form = json!({ "username": username, "email": email, "password": password });
        server.request("POST", "/api/auth/register").json(&form).data(201);
        let login = json!({ "username": username, "password": password });
        server.request("POST", "/api/auth/login").json(&login).data(200);
        let trimmed = json!({ "username": username, "password": format!("{password} ") });
        server.request("POST", "/api/auth/login").json(&trimmed).fails(401, "INVALID_CREDENTIALS");
    }
}

#[test]
fn usernames_and_emails_are_unique_ignoring_case() {
    let server = shared_server();
    let ada = server.person();
    let cases = [
        (ada.username.clone(), format!("{}@example.com", unique_name()), "username"),
        (ada.username.to_uppercase(), format!("{}@example.com", unique_name()), "username"),
        (unique_name(), ada.email.clone(), "email"),
        (unique_name(), ada.email.to_uppercase(), "email"),
    ];
    for (username, email, taken) in cases {
        let form = json!({ "username": username, "email": email, "password": "8 horses" });
        let answer = server.request("POST", "/api/auth/register").json(&form).fails(409, "CONFLICT");
        assert!(answer.text().contains(taken), "{}", answer.text());
    }
}

#[test]
fn unknown_user_and_wrong_password_get_the_same_reply_in_the_same_time() {
    let server = shared_server();
    let ada = server.person();
    let log_in = |form: &Value| {
        let begin = Instant::now();
        let answer = server.request("POST", "/api/auth/login").json(form).fails(401, "INVALID_CREDENTIALS");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        let mut body = answer.json();
        body["error"]["requestId"].take();
        (body, begin.elapsed())
    };
    let wrong = json!({ "email": ada.email, "password": "not this one" });
    let unknown = json!({ "email": format!("{}@example.com", unique_name()), "password": "not this one" });
    assert_eq!(log_in(&wrong).0, log_in(&unknown).0);
    // The fastest of many replies are comparable even on a busy machine. Without a hash a reply takes 1 ms, with a hash
    // about 20 ms.
    let (mut fastest_wrong, mut fastest_unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..40 {
        fastest_wrong = fastest_wrong.min(log_in(&wrong).1);
        fastest_unknown = fastest_unknown.min(log_in(&unknown).1);
        if fastest_wrong < fastest_unknown * 3 / 2 && fastest_unknown < fastest_wrong * 3 / 2 {
            assert!(
                fastest_unknown > Duration::from_millis(2),
                "{fastest_unknown:?} is too fast for a password hash"
            );
            return;
        }
    }
    panic!("wrong {fastest_wrong:?}, unknown {fastest_unknown:?}");
}

#[test]
fn impossible_password_is_rejected_as_wrong() {
    let ada = shared_server().person();
    for password in ["", "short", &"x".repeat(5_000)] {
        let form = json!({ "email": ada.email, "password": password });
        shared_server().request("POST", "/api/auth/login").json(&form).fails(401, "INVALID_CREDENTIALS");
    }
    for (form, fields) in [
        (json!({}), vec!["password", "email"]),
        (json!({ "password": "8 horses" }), vec!["email"]),
        (json!({ "email": ada.email }), vec!["password"]),
        (json!({ "email": "", "password": "8 horses" }), vec!["email"]),
        (json!({ "username": " ", "password": "8 horses" }), vec!["username"]),
        (json!({ "email": { "$gt": "" }, "password": { "$gt": "" } }), vec!["email", "password"]),
        (json!({ "email": ada.email, "password": "8 horses", "$where": "1" }), vec!["$where"]),
    ] {
        let answer =
            shared_server().request("POST", "/api/auth/login").json(&form).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields, "{form}");
    }
}

/// A token that the test signs itself.
pub(crate) fn sign_token(secret: &str, issuer: &str, user: &str, session: &str, issued_at: Time) -> String {
    let (access, refresh) = (Duration::from_secs(900), Duration::from_secs(9_000));
    let keys = TokenKeys::new(&Secret::new(secret), issuer, "ulak", access, refresh);
    let (user, session) = (UserId::trusted(user), SessionId::trusted(session));
    keys.issue(&user, &session, issued_at, &Entropy::default()).unwrap()
}

#[test]
fn only_valid_tokens_of_live_sessions_are_accepted() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let session = ada.get("/api/auth/sessions").data(200)["sessions"][0]["id"].as_str().unwrap().to_owned();
    let now = Time::from_millis(i64::try_from(unix_millis()).unwrap());
    let old = Time::from_millis(now.millis() - 901_000);
    let signed = |secret: &str, issuer: &str, user: &str, at| sign_token(secret, issuer, user, &session, at);
    let payload = ada.access_token.split('.').nth(1).unwrap();
    let cases = [
        (signed(JWT_SECRET, "ulak", &ada.id, now), None),
        (signed(JWT_SECRET, "ulak", &ada.id, old), Some("TOKEN_EXPIRED")),
        (signed(JWT_SECRET, "ulak", &bob.id, now), Some("TOKEN_REVOKED")),
        (sign_token(JWT_SECRET, "ulak", &ada.id, "01UNKNOWN", now), Some("TOKEN_REVOKED")),
        (signed(JWT_SECRET, "another-issuer", &ada.id, now), Some("UNAUTHENTICATED")),
        (signed("another secret, just as long as ours", "ulak", &ada.id, now), Some("UNAUTHENTICATED")),
        (format!("eyJhbGciOiJub25lIn0.{payload}."), Some("UNAUTHENTICATED")),
        (ada.refresh_token.clone(), Some("UNAUTHENTICATED")),
        ("x".repeat(4_000), Some("UNAUTHENTICATED")),
        (String::new(), Some("UNAUTHENTICATED")),
    ];
    for (token, error) in cases {
        let call = server.request("GET", "/api/auth/me").bearer(&token);
        match error {
            None => assert_eq!(call.data(200)["user"]["id"], json!(ada.id)),
            Some(code) => assert_eq!(call.fails(401, code).header("www-authenticate"), Some("Bearer")),
        }
    }
    for (header, status) in [
        (format!("bearer {}", ada.access_token), 200),
        (format!("BEARER   {}", ada.access_token), 200),
        (format!("Basic {}", ada.access_token), 401),
        (ada.access_token.clone(), 401),
        ("Bearer".to_owned(), 401),
    ] {
        assert_eq!(
            server.request("GET", "/api/auth/me").header("authorization", &header).send().status,
            status
        );
    }
}

pub(crate) fn unix_millis() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}
