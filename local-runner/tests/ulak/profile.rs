//! The profile: its fields through both routes, and the sessions that a new password ends.

use serde_json::json;
use test_support::person::Person;
use test_support::unique_name;

use crate::server::shared_server;

const ROUTES: [&str; 2] = ["/api/user/profile", "/api/auth/me"];

#[test]
fn both_routes_change_only_the_given_fields() {
    for route in ROUTES {
        let ada = shared_server().person();
        let before = ada.me();
        let user = ada.put(route, &json!({ "displayName": "  Ada Lövelace  " })).data(200)["user"].take();
        assert_eq!(user["displayName"], "Ada Lövelace");
        assert_eq!((&user["email"], &user["username"]), (&before["email"], &before["username"]));
        let (name, email) = (unique_name(), format!("{}@example.com", unique_name()));
        let user = ada
            .put(route, &json!({ "username": name, "email": email, "currentPassword": Person::PASSWORD }))
            .data(200)["user"]
            .take();
        assert_eq!((&user["username"], &user["email"]), (&json!(name), &json!(email)));
        assert_eq!(user["displayName"], "Ada Lövelace");
        assert_eq!(ada.me(), user, "the change is not stored");
        ada.put(route, &json!({})).data(200);
        let login = json!({ "username": name, "password": Person::PASSWORD });
        shared_server().request("POST", "/api/auth/login").json(&login).data(200);
        let old = json!({ "username": ada.username, "password": Person::PASSWORD });
        shared_server().request("POST", "/api/auth/login").json(&old).fails(401, "INVALID_CREDENTIALS");
    }
}

#[test]
fn invalid_fields_are_reported_and_nothing_is_changed() {
    let ada = shared_server().person();
    let before = ada.me();
    let cases = [
        (
            json!({ "username": "a b", "email": "x", "displayName": "" }),
            vec!["username", "email", "displayName"],
        ),
        (json!({ "displayName": "x".repeat(61) }), vec!["displayName"]),
        (json!({ "displayName": "a\u{7}b" }), vec!["displayName"]),
        (json!({ "password": "8 horses" }), vec!["currentPassword"]),
        (json!({ "currentPassword": Person::PASSWORD }), vec!["password"]),
        (json!({ "password": "short", "currentPassword": Person::PASSWORD }), vec!["password"]),
        (json!({ "password": "8 horses", "currentPassword": "wrong" }), vec!["currentPassword"]),
        (
            json!({ "displayName": "Ada", "password": "8 horses", "currentPassword": "wrong" }),
            vec!["currentPassword"],
        ),
        (json!({ "id": "another" }), vec!["id"]),
        (json!({ "passwordHash": "x" }), vec!["passwordHash"]),
        (json!({ "email": { "$set": 1 } }), vec!["email"]),
    ];
    for (form, fields) in cases {
        let answer = ada.put("/api/user/profile", &form).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), fields, "{form}");
        assert_eq!(ada.me(), before, "{form}");
    }
    ada.log_in();
}

#[test]
fn taken_names_are_conflicts_and_own_names_may_change_case() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    for form in [
        json!({ "username": bob.username.to_uppercase() }),
        json!({ "email": bob.email.to_uppercase(), "currentPassword": Person::PASSWORD }),
    ] {
        ada.put("/api/user/profile", &form).fails(409, "CONFLICT");
    }
    let upper_case = ada.username.to_uppercase();
    let user = ada.put("/api/user/profile", &json!({ "username": upper_case })).data(200);
    assert_eq!(user["user"]["username"], upper_case);
    let freed = unique_name();
    ada.put("/api/user/profile", &json!({ "username": freed })).data(200);
    bob.put("/api/user/profile", &json!({ "username": ada.username })).data(200);
}

#[test]
fn new_password_ends_the_other_sessions() {
    let ada = shared_server().person();
    let others = [ada.log_in(), ada.log_in()];
    let form = json!({ "password": "another password", "currentPassword": Person::PASSWORD });
    ada.put("/api/auth/me", &form).data(200);
    for other in &others {
        other.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
        assert_eq!(other.refresh_with(&other.refresh_token).code(), "TOKEN_REVOKED");
    }
    ada.me();
    ada.refresh_with(&ada.refresh_token).data();
    let login = |password: &str| {
        let form = json!({ "email": ada.email, "password": password });
        shared_server().request("POST", "/api/auth/login").json(&form).send().status
    };
    assert_eq!((login(Person::PASSWORD), login("another password")), (401, 200));
}
