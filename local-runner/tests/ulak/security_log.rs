//! The security log: what is written, with user, session, address and request id, and without secrets.

use serde_json::{Value, json};
use test_support::person::Person;
use test_support::test_server::TestServer;
use test_support::unique_name;

use crate::server::own_server;

/// The lines of the security log. In process mode the function's name precedes each line.
fn lines(server: &TestServer) -> Vec<Value> {
    let log = server.log();
    let json = log.lines().filter_map(|line| Some(&line[line.find('{')?..]));
    let all = json.filter_map(|json| serde_json::from_str::<Value>(json).ok());
    all.filter(|line| line["target"] == "ulak::security").collect()
}

fn assert_logged(server: &TestServer, event: &str, detail: Option<&str>, person: &Person, session: bool) {
    let found = lines(server).into_iter().find(|line| {
        line["event"] == event
            && detail.is_none_or(|detail| line["detail"] == detail)
            && line["user_id"] == person.id.as_str()
    });
    let line = found.unwrap_or_else(|| panic!("no {event} {detail:?} in {:#?}", lines(server)));
    assert_eq!(line["session_id"].is_string(), session, "{line}");
    assert_eq!(line["address"], "127.0.0.1", "{line}");
    assert!(line["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
}

#[test]
fn security_log_has_each_kind_of_event_and_no_secrets() {
    let environment = [
        ("RUST_LOG", "ulak::security=info"),
        ("LOG_FILTER", "ulak::security=info"),
        ("LOG_FORMAT", "json"),
        ("RATE_LIMIT_SCALE", "0.2"),
        ("REFRESH_GRACE_SECONDS", "0"),
    ];
    let server = own_server(&environment);
    let (ada, bob) = (server.person(), server.person());
    let elsewhere = ada.log_in();
    let login = json!({ "email": ada.email, "password": "a wrong secret" });
    for _ in 0..6 {
        server.request("POST", "/api/auth/login").json(&login).send();
    }
    let mut change = json!({ "password": "another secret", "currentPassword": "a wrong secret" });
    ada.put("/api/user/profile", &change).fails(422, "VALIDATION_FAILED");
    change["currentPassword"] = Person::PASSWORD.into();
    ada.put("/api/user/profile", &change).data(200);
    bob.refresh_with(&bob.refresh_token).data();
    bob.refresh_with(&bob.refresh_token);
    ada.request("POST", "/api/auth/logout").data(200);

    assert_logged(&server, "registered", None, &ada, true);
    assert_logged(&server, "logged_in", None, &ada, true);
    assert_logged(&server, "login_failed", None, &ada, false);
    assert_logged(&server, "password_refused", None, &ada, true);
    assert_logged(&server, "password_changed", None, &ada, true);
    assert_logged(&server, "refresh_token_reused", None, &bob, true);
    for (reason, person) in [("password_changed", &ada), ("refresh_token_reused", &bob), ("logged_out", &ada)]
    {
        assert_logged(&server, "session_ended", Some(reason), person, true);
    }
    let limit = lines(&server).into_iter().find(|line| line["event"] == "limit_hit").unwrap();
    assert_eq!((&limit["detail"], &limit["address"]), (&json!("account"), &json!("127.0.0.1")));
    let log = server.log();
    let secrets = [
        Person::PASSWORD,
        "a wrong secret",
        "another secret",
        &ada.access_token,
        &ada.refresh_token,
        &bob.refresh_token,
        &elsewhere.refresh_token,
        &ada.email,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "the log contains {secret}");
    }
}

/// A user who is not known is logged without the name that was typed, which may be a password.
#[test]
fn failed_login_of_an_unknown_user_is_logged_without_the_name() {
    let server = own_server(&[
        ("RUST_LOG", "ulak::security=info"),
        ("LOG_FILTER", "ulak::security=info"),
        ("LOG_FORMAT", "json"),
    ]);
    let name = unique_name();
    let login = json!({ "email": name, "password": "a wrong secret" });
    server.request("POST", "/api/auth/login").json(&login).fails(401, "INVALID_CREDENTIALS");
    assert_eq!(lines(&server).len(), 1);
    assert!(lines(&server)[0]["user_id"].is_null() && !server.log().contains(&name));
}
