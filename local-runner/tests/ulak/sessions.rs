//! Sessions: refresh, reuse of tokens, logout of one or all sessions, the list, deletion.

use serde_json::json;
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::person::{Person, texts};

use crate::server::{BINARY, own_server, shared_server};

/// Both tokens of the session are revoked.
#[track_caller]
fn assert_revoked(person: &Person) {
    person.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
    let answer = person.refresh_with(&person.refresh_token);
    assert_eq!((answer.status, answer.code().as_str()), (401, "TOKEN_REVOKED"));
}

#[test]
fn refresh_returns_new_tokens_and_keeps_older_access_tokens_valid() {
    let ada = shared_server().person();
    let data = ada.refresh_with(&ada.refresh_token).data();
    let (access, refresh) = (data["accessToken"].as_str().unwrap(), data["refreshToken"].as_str().unwrap());
    assert_ne!((access, refresh), (ada.access_token.as_str(), ada.refresh_token.as_str()));
    assert_eq!(data["expiresIn"], 900);
    let renewed =
        Person { access_token: access.to_owned(), refresh_token: refresh.to_owned(), ..ada.clone() };
    assert_eq!(renewed.me()["id"], ada.id);
    assert_eq!(ada.me()["id"], ada.id, "an older access token of the session is not valid");
}

/// The user with the tokens of a refresh.
fn renewed(person: &Person, response: &HttpResponse) -> Person {
    let data = response.data();
    let text = |name: &str| data[name].as_str().unwrap_or_else(|| panic!("{data}")).to_owned();
    Person { access_token: text("accessToken"), refresh_token: text("refreshToken"), ..person.clone() }
}

/// The token before the replaced one is never repeated, so no time has to pass.
#[test]
fn reused_refresh_token_ends_the_session() {
    let ada = shared_server().person();
    let elsewhere = ada.log_in();
    let first = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    let second = renewed(&ada, &first.refresh_with(&first.refresh_token));
    let thief = ada.refresh_with(&ada.refresh_token);
    assert_eq!((thief.status, thief.code().as_str()), (401, "TOKEN_REVOKED"));
    assert_revoked(&first);
    assert_revoked(&second);
    assert_eq!(elsewhere.me()["id"], ada.id, "other sessions live on");
}

#[test]
fn without_a_grace_period_a_repeated_refresh_ends_the_session() {
    let server = own_server(&[("REFRESH_GRACE_SECONDS", "0")]);
    let ada = server.person();
    let first = renewed(&ada, &ada.refresh_with(&ada.refresh_token));
    assert_eq!(ada.refresh_with(&ada.refresh_token).code(), "TOKEN_REVOKED");
    assert_revoked(&first);
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
    assert_revoked(&ada);
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
fn ten_refreshes_keep_one_session() {
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
fn invalid_refresh_tokens_end_no_session() {
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
    assert_eq!(ada.me()["id"], ada.id, "a wrong token ended the session");
    ada.refresh_with(&ada.refresh_token).data();
    let answer = HttpRequest::new(ada.port, "POST", "/api/auth/refresh")
        .json(&json!({ "refreshToken": 7 }))
        .fails(422, "VALIDATION_FAILED");
    assert_eq!(answer.fields(), ["refreshToken"]);
}

#[test]
fn logout_revokes_both_tokens() {
    let ada = shared_server().person();
    let elsewhere = ada.log_in();
    assert_eq!(ada.request("POST", "/api/auth/logout").data(200)["ended"], 1);
    assert_revoked(&ada);
    assert_eq!(ada.request("POST", "/api/auth/logout").data(200)["ended"], 0, "a repeat is answered alike");
    assert_eq!(elsewhere.me()["id"], ada.id);
    assert_eq!(elsewhere.log_in().me()["id"], ada.id, "a new login failed");
}

#[test]
fn logout_everywhere_ends_all_sessions_of_the_caller_only() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let sessions = [ada.clone(), ada.log_in(), ada.log_in()];
    let data = sessions[1].post("/api/auth/logout", &json!({ "everywhere": true })).data(200);
    assert_eq!(data["ended"], 3);
    sessions.iter().for_each(assert_revoked);
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
fn session_list_is_newest_first_and_marks_the_current_session() {
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
        assert_eq!(
            keys,
            ["createdAt", "current", "device", "id", "lastSeenAt"],
            "a session has another field, such as a token hash"
        );
    }
}

#[test]
fn session_is_deleted_and_revoked_by_its_owner_only() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    let other = ada.log_in();
    let ids = texts(&ada.get("/api/auth/sessions").data(200)["sessions"], "id");
    let of_other = &ids[0];
    bob.delete(&format!("/api/auth/sessions/{of_other}")).fails(404, "NOT_FOUND");
    other.me();
    ada.delete(&format!("/api/auth/sessions/{of_other}")).data(200);
    assert_revoked(&other);
    ada.delete(&format!("/api/auth/sessions/{of_other}")).fails(404, "NOT_FOUND");
    for hostile in ["nothing", "%24gt", "a%00b", "..%2f..%2fme", &"x".repeat(2_000)] {
        ada.delete(&format!("/api/auth/sessions/{hostile}")).fails(404, "NOT_FOUND");
    }
    let own = &texts(&ada.get("/api/auth/sessions").data(200)["sessions"], "id")[0];
    ada.delete(&format!("/api/auth/sessions/{own}")).data(200);
    assert_revoked(&ada);
}
