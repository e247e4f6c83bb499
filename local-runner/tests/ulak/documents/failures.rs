//! Every route fails as documented, and every failure that is documented happens, except that of a fault of the server.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::time::Time;
use test_support::http_client::HttpRequest;
use test_support::leave_to_another_run;
use test_support::person::Person;
use test_support::test_server::{JWT_SECRET, TestServer, is_process_mode};

use super::schema::{Operation, openapi};
use crate::auth::{sign_token, unix_millis};
use crate::server::{own_server, shared_server};

/// A route, a status and a code.
type Failure = (String, u16, String);

/// Sends a request of the operation, expects the failure, and checks the answer.
#[track_caller]
fn expect(
    operation: &Operation,
    request: &HttpRequest,
    status: u16,
    code: &str,
    seen: &mut BTreeSet<Failure>,
) {
    let answer = request.send();
    let route = operation.route();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{route}: {}", answer.text());
    openapi().assert_answer(&route, &answer);
    seen.insert((route, status, code.to_owned()));
}

#[test]
fn every_documented_failure_happens_and_is_answered_as_documented() {
    if is_process_mode() {
        leave_to_another_run(
            "functions do not start without their stores; run the system tests without ULAK_TEST_MODE",
        );
        return;
    }
    let mut seen = BTreeSet::new();
    refused_tokens(&mut seen);
    refused_bodies(&mut seen);
    refused_queries(&mut seen);
    unknown_ids(&mut seen);
    refused_by_rules(&mut seen);
    limited(&mut seen);
    outage(&mut seen);
    let documented: BTreeSet<Failure> = openapi()
        .operations()
        .iter()
        .flat_map(|operation| {
            let route = operation.route();
            operation.codes(openapi()).into_iter().map(move |(status, code)| (route.clone(), status, code))
        })
        // A fault of the server: there is none to show.
        .filter(|(_, _, code)| code != "INTERNAL")
        .collect();
    let missing: Vec<_> = documented.difference(&seen).collect();
    let undocumented: Vec<_> = seen.difference(&documented).collect();
    assert!(missing.is_empty() && undocumented.is_empty(), "{missing:#?} {undocumented:#?}");
}

/// Without a token, with an expired one, and after a logout.
fn refused_tokens(seen: &mut BTreeSet<Failure>) {
    let server = shared_server();
    let gone = server.person();
    let session = gone.get("/api/auth/sessions").data(200)["sessions"][0]["id"].as_str().unwrap().to_owned();
    gone.post("/api/auth/logout", &json!({})).data(200);
    let now = Time::from_millis(i64::try_from(unix_millis()).unwrap());
    let expired = sign_token(JWT_SECRET, "ulak", &gone.id, &session, now - Duration::from_secs(901));
    for operation in openapi().operations().iter().filter(|operation| operation.needs_token()) {
        let request = || {
            let request = server.request(&operation.method, &operation.path_with("unknown"));
            operation.with_example(request)
        };
        expect(operation, &request(), 401, "UNAUTHENTICATED", seen);
        expect(operation, &request().bearer(&expired), 401, "TOKEN_EXPIRED", seen);
        // A repeated logout succeeds.
        if operation.route() != "POST /api/auth/logout" {
            expect(operation, &request().bearer(&gone.access_token), 401, "TOKEN_REVOKED", seen);
        }
    }
    let refresh =
        |token: &str| server.request("POST", "/api/auth/refresh").json(&json!({ "refreshToken": token }));
    let operation = of("POST /api/auth/refresh");
    expect(&operation, &refresh("nonsense"), 401, "UNAUTHENTICATED", seen);
    expect(&operation, &refresh(&gone.refresh_token), 401, "TOKEN_REVOKED", seen);
}

fn refused_bodies(seen: &mut BTreeSet<Failure>) {
    let ada = shared_server().person();
    for operation in openapi().operations().iter().filter(|operation| operation.example().is_some()) {
        let request = || ada.request(&operation.method, &operation.path_with("unknown"));
        expect(operation, &request().raw_json("{"), 400, "INVALID_JSON", seen);
        expect(operation, &request().raw_json(vec![b' '; 70_000]), 413, "PAYLOAD_TOO_LARGE", seen);
        expect(operation, &request().body("content=hi"), 415, "UNSUPPORTED_MEDIA_TYPE", seen);
        expect(operation, &request().json(&json!({ "x": 1 })), 422, "VALIDATION_FAILED", seen);
    }
}

fn refused_queries(seen: &mut BTreeSet<Failure>) {
    let ada = shared_server().person();
    for operation in openapi().operations().iter().filter(|operation| !operation.query_names().is_empty()) {
        let path = format!("{}?x=1", operation.path_with("unknown"));
        expect(operation, &ada.request(&operation.method, &path), 422, "VALIDATION_FAILED", seen);
    }
}

fn unknown_ids(seen: &mut BTreeSet<Failure>) {
    let ada = shared_server().person();
    let with_path = |operation: &&Operation| operation.path.contains('{');
    for operation in openapi().operations().iter().filter(with_path) {
        for id in ["unknown", "$", "%C3%BC"] {
            let request = ada.request(&operation.method, &operation.path_with(id));
            expect(operation, &operation.with_example(request), 404, "NOT_FOUND", seen);
        }
    }
    for route in ["POST /api/messages/send", "POST /api/messages"] {
        let operation = of(route);
        let body = json!({ "conversationId": "unknown", "content": "hello" });
        expect(&operation, &ada.post(&operation.path, &body), 404, "NOT_FOUND", seen);
    }
    let search = of("GET /api/messages/search");
    let path = "/api/messages/search?q=hello&conversationId=unknown";
    expect(&search, &ada.get(path), 404, "NOT_FOUND", seen);
}

fn refused_by_rules(seen: &mut BTreeSet<Failure>) {
    let server = shared_server();
    let (ada, bob, room) = server.pair();
    let taken = json!({ "username": ada.username, "email": "x@example.com", "password": Person::PASSWORD });
    let register = of("POST /api/auth/register");
    expect(&register, &server.request("POST", &register.path).json(&taken), 409, "CONFLICT", seen);
    let login = of("POST /api/auth/login");
    let wrong = json!({ "email": ada.email, "password": "wrong" });
    expect(&login, &server.request("POST", &login.path).json(&wrong), 401, "INVALID_CREDENTIALS", seen);
    for route in ["PUT /api/user/profile", "PUT /api/auth/me"] {
        let operation = of(route);
        let change = json!({ "username": bob.username });
        expect(&operation, &ada.put(&operation.path, &change), 409, "CONFLICT", seen);
    }
    for route in ["POST /api/messages/send", "POST /api/messages", "POST /api/conversations/{id}/messages"] {
        let operation = of(route);
        let body =
            |content: &str| json!({ "conversationId": room, "content": content, "clientMessageId": route });
        let send = |content: &str| ada.post(&operation.path_with(&room), &body(content));
        send("one").data(201);
        expect(&operation, &send("two"), 409, "CONFLICT", seen);
    }
    let message = bob.send(&room, "mine")["id"].as_str().unwrap().to_owned();
    for route in ["PATCH /api/messages/{messageId}", "DELETE /api/messages/{messageId}"] {
        let operation = of(route);
        let request = ada.request(&operation.method, &operation.path_with(&message));
        expect(&operation, &operation.with_example(request), 403, "FORBIDDEN", seen);
    }
}

/// One request per window is allowed to an address, and it is used up.
fn limited(seen: &mut BTreeSet<Failure>) {
    let server = own_server(&[("RATE_LIMIT_SCALE", "0.0001")]);
    server.request("GET", "/api/health").send();
    for_all_with("RATE_LIMITED", &server, 429, seen);
}

/// The store of sessions and limits is not there.
fn outage(seen: &mut BTreeSet<Failure>) {
    let server = own_server(&[("REDIS_URL", "redis://127.0.0.1:1"), ("RATE_LIMIT_SCALE", "1")]);
    for_all_with("UNAVAILABLE", &server, 503, seen);
}

fn for_all_with(code: &str, server: &TestServer, status: u16, seen: &mut BTreeSet<Failure>) {
    let has_code = |operation: &&Operation| operation.codes(openapi()).contains(&(status, code.to_owned()));
    let operations = openapi().operations();
    assert!(operations.iter().filter(has_code).count() > 20);
    for operation in operations.iter().filter(has_code) {
        let request = server.request(&operation.method, &operation.path_with("unknown"));
        expect(operation, &operation.with_example(request), status, code, seen);
    }
}

fn of(route: &str) -> Operation {
    let found = openapi().operations().into_iter().find(|operation| operation.route() == route);
    found.unwrap_or_else(|| panic!("{route} is not documented"))
}

#[test]
fn a_health_report_of_an_outage_has_data_and_an_error() {
    if is_process_mode() {
        leave_to_another_run(
            "functions do not start without their stores; run the system tests without ULAK_TEST_MODE",
        );
        return;
    }
    let server = own_server(&[("REDIS_URL", "redis://127.0.0.1:1")]);
    let answer = server.request("GET", "/api/health").send();
    let body: Value = answer.json();
    assert_eq!((answer.status, &body["data"]["down"]), (503, &json!(["redis"])), "{body}");
    openapi().assert_answer("GET /api/health", &answer);
}
