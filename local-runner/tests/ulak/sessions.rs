//! Sessions: refreshing, reuse, logging out here and everywhere, the list, and that what has ended is dead.

use serde_json::json;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::{Person, texts};

use crate::server::{BINARY, own_server, shared_server};

/// Both tokens of a session are dead, at once.
#[track_caller]
fn assert_dead(person: &Person) {
    person.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
    let answer = person.refresh_with(&person.refresh_token);
    assert_eq!((answer.status, answer.code().as_str()), (401, "TOKEN_REVOKED"));
}

#[test]
fn a_refresh_gives_a_new_pair_and_the_old_token_dies() {
    let ada = shared_server().person();
    let data = ada.refresh_with(&ada.refresh_token).data();
    let (access, refresh) = (data["accessToken"].as_str().unwrap(), data["refreshToken"].as_str().unwrap());
    assert_ne!((access, refresh), (ada.access_token.as_str(), ada.refresh_token.as_str()));
    assert_eq!(data["expiresIn"], 900);
    let renewed =
        Person { access_token: access.to_owned(), refresh_token: refresh.to_owned(), ..ada.clone() };
    assert_eq!(renewed.me()["id"], ada.id);
    assert_eq!(ada.me()["id"], ada.id, "the session lives, so its other access token does");
}

/// The user with the tokens of a refresh.
fn renewed(person: &Person, response: &HttpResponse) -> Person {
    let data = response.data();
    let text = |name: &str| data[name].as_str().unwrap_or_else(|| panic!("{data}")).to_owned();
    Person { access_token: text("accessToken"), refresh_token: text("refreshToken"), ..person.clone() }
}

/// The token before the replaced one is never repeated, so no time has to pass.
#[test]
fn showing_a_dead_refresh_token_ends_the_whole_session() {
    let ada = shared_server().person();
    let elsewhere = ada.log_in();
    let first = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    let second = renewed(&ada, &first.refresh_with(&first.refresh_token));
    let thief = ada.refresh_with(&ada.refresh_token);
    assert_eq!((thief.status, thief.code().as_str()), (401, "TOKEN_REVOKED"));
    assert_dead(&first);
    assert_dead(&second);
    assert_eq!(elsewhere.me()["id"], ada.id, "other sessions live on");
}

#[test]
fn without_a_grace_period_a_repeated_refresh_ends_the_session() {
    let server = own_server(&[("REFRESH_GRACE_SECONDS", "0")]);
    let ada = server.person();
    let first = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    assert_eq!(ada.refresh_with(&ada.refresh_token).code(), "TOKEN_REVOKED");
    assert_dead(&first);
}

#[test]
fn a_repeated_refresh_gets_the_same_successor_and_ends_nothing() {
    let ada = shared_server().person();
    let first = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    let repeat = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    assert_eq!(first.refresh_token, repeat.refresh_token);
    first.me();
    repeat.me();
    renewed(&ada, &first.refresh_with(&first.refresh_token)).me();
}

#[test]
fn a_user_keeps_the_newest_sessions_that_the_limit_allows() {
    let server = own_server(&[("SESSIONS_PER_USER", "3")]);
    let ada = server.person();
    let others = [ada.log_in(), ada.log_in(), ada.log_in()];
    assert_dead(&ada);
    others.iter().for_each(|session| drop(session.me()));
    assert_eq!(others[0].get("/api/auth/sessions").data(200)["sessions"].as_array().unwrap().len(), 3);
}

#[test]
fn invalid_session_settings_are_reported_at_the_start() {
    for (name, value) in [("SESSIONS_PER_USER", "0"), ("REFRESH_GRACE_SECONDS", "soon")] {
        let output = std::process::Command::new(BINARY)
            .args(["--port", "0", "--data", ":memory:", "--template"])
            .arg(test_support::repository().join("template.yaml"))
            .env(name, value)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(name), "{text}");
    }
}

#[test]
fn ten_refreshes_in_a_row_work() {
    let mut ada = shared_server().person();
    for _ in 0..10 {
        let data = ada.refresh_with(&ada.refresh_token).data();
        ada.access_token = data["accessToken"].as_str().unwrap().to_owned();
        ada.refresh_token = data["refreshToken"].as_str().unwrap().to_owned();
        ada.me();
    }
    assert_eq!(ada.get("/api/auth/sessions").data(200)["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_never_a_refresh_token_harms_nobody() {
    let ada = shared_server().person();
    let session = ada.refresh_token.split_once('.').unwrap().0;
    for (token, status, code) in [
        (String::new(), 401, "UNAUTHENTICATED"),
        ("nothing".to_owned(), 401, "UNAUTHENTICATED"),
        (ada.access_token.clone(), 401, "UNAUTHENTICATED"),
        ("x".repeat(10_000), 401, "UNAUTHENTICATED"),
        ("01UNKNOWN.secret".to_owned(), 401, "TOKEN_REVOKED"),
        (format!("{session}.a-guess"), 401, "TOKEN_REVOKED"),
    ] {
        let answer = ada.refresh_with(&token);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{token:.40}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(ada.me()["id"], ada.id, "a guess ends nobody's session");
    ada.refresh_with(&ada.refresh_token).data();
    let answer = HttpRequest::new(ada.port, "POST", "/api/auth/refresh")
        .json(&json!({ "refreshToken": 7 }))
        .fails(422, "VALIDATION_FAILED");
    assert_eq!(answer.fields(), ["refreshToken"]);
}

#[test]
fn logging_out_kills_both_tokens_at_once() {
    let ada = shared_server().person();
    let elsewhere = ada.log_in();
    assert_eq!(ada.request("POST", "/api/auth/logout").data(200)["ended"], 1);
    assert_dead(&ada);
    assert_eq!(ada.request("POST", "/api/auth/logout").data(200)["ended"], 0, "a repeat is answered alike");
    assert_eq!(elsewhere.me()["id"], ada.id);
    assert_eq!(elsewhere.log_in().me()["id"], ada.id, "logging in again works");
}

#[test]
fn logging_out_everywhere_ends_all_sessions_and_nobody_elses() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let sessions = [ada.clone(), ada.log_in(), ada.log_in()];
    let data = sessions[1].post("/api/auth/logout", &json!({ "everywhere": true })).data(200);
    assert_eq!(data["ended"], 3);
    sessions.iter().for_each(assert_dead);
    bob.me();
    for (body, fields) in
        [(json!({ "everywhere": "yes" }), ["everywhere"]), (json!({ "all": true }), ["all"])]
    {
        let answer = bob.post("/api/auth/logout", &body).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields);
    }
    bob.me();
    assert_eq!(bob.post("/api/auth/logout", &json!({ "everywhere": false })).data(200)["ended"], 1);
}

#[test]
fn the_list_shows_devices_newest_first_and_marks_the_callers_own() {
    let server = shared_server();
    let ada = server.person();
    let form = json!({ "email": ada.email, "password": Person::PASSWORD });
    let agent = "Mozilla/5.0 (X11; Linux x86_64) ç";
    let phone = server.request("POST", "/api/auth/login").header("user-agent", agent).json(&form).data(200);
    let phone = Person::new(ada.port, &phone);
    let sessions = phone.get("/api/auth/sessions").data(200)["sessions"].take();
    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
    assert_eq!((&sessions[0]["current"], &sessions[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(sessions[0]["device"], agent);
    for session in sessions.as_array().unwrap() {
        let mut keys: Vec<&String> = session.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["createdAt", "current", "device", "id", "lastSeenAt"], "no hash of a token");
    }
}

#[test]
fn a_deleted_session_is_dead_and_only_its_owner_can_delete_it() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let other = ada.log_in();
    let ids = texts(&ada.get("/api/auth/sessions").data(200)["sessions"], "id");
    let of_other = &ids[0];
    bob.delete(&format!("/api/auth/sessions/{of_other}")).fails(404, "NOT_FOUND");
    other.me();
    ada.delete(&format!("/api/auth/sessions/{of_other}")).data(200);
    assert_dead(&other);
    ada.delete(&format!("/api/auth/sessions/{of_other}")).fails(404, "NOT_FOUND");
    for hostile in ["nothing", "%24gt", "a%00b", "..%2f..%2fme", &"x".repeat(2_000)] {
        ada.delete(&format!("/api/auth/sessions/{hostile}")).fails(404, "NOT_FOUND");
    }
    let own = &texts(&ada.get("/api/auth/sessions").data(200)["sessions"], "id")[0];
    ada.delete(&format!("/api/auth/sessions/{own}")).data(200);
    assert_dead(&ada);
}
