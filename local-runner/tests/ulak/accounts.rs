//! Accounts: which names and passwords are accepted, and what a deletion ends and leaves.

use serde_json::{Value, json};
use test_support::http_client::HttpRequest;
use test_support::person::Person;
use test_support::unique_name;

use crate::server::{own_server, shared_server};

fn registration(form: &Value) -> HttpRequest {
    shared_server().request("POST", "/api/auth/register").json(form)
}

#[test]
fn common_passwords_and_own_names_are_refused_as_passwords() {
    let name = unique_name();
    let email = format!("{name}@example.com");
    for password in ["12345678", "Password1", "iloveyou", &name.to_uppercase(), &email] {
        let form = json!({ "username": name, "email": email, "password": password });
        let answer = registration(&form).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["password"], "{password}");
    }
    let ada = shared_server().person();
    let other = format!("{}@example.com", unique_name());
    for (password, email) in
        [("qwertyuiop", None), (ada.username.as_str(), None), (other.as_str(), Some(&other))]
    {
        let mut form = json!({ "password": password, "currentPassword": Person::PASSWORD });
        if let Some(email) = email {
            form["email"] = json!(email);
        }
        let answer = ada.put("/api/user/profile", &form).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["password"], "{password}");
    }
    ada.log_in();
}

#[test]
fn least_length_of_passwords_is_configurable() {
    let server = own_server(&[("PASSWORD_MIN_LENGTH", "12")]);
    for (password, accepted) in [("11 horses..", false), ("12 horses...", true)] {
        let name = unique_name();
        let form = json!({ "username": name, "email": format!("{name}@example.com"), "password": password });
        let answer = server.request("POST", "/api/auth/register").json(&form).send();
        assert_eq!(answer.status == 201, accepted, "{password} {}", answer.text());
    }
}

#[test]
fn emails_are_unique_in_every_unicode_form() {
    let name = unique_name();
    let register = |local: &str| {
        let email = format!("{local}@example.com");
        registration(&json!({ "username": unique_name(), "email": email, "password": "8 horses" }))
    };
    let data = register(&format!("stra\u{df}e-{name}")).data(201);
    for same in [format!("STRASSE-{name}"), format!("\u{ff53}trasse-{name}")] {
        register(&same).fails(409, "CONFLICT");
        let login = json!({ "email": format!("{same}@example.com"), "password": "8 horses" });
        let found = shared_server().request("POST", "/api/auth/login").json(&login).data(200);
        assert_eq!(found["user"]["id"], data["user"]["id"]);
    }
}

#[test]
fn names_with_invisible_characters_are_refused() {
    let ada = shared_server().person();
    for hidden in ["Ada\u{200b}", "\u{202e}adA", "A\u{2066}da", "Ada\u{feff}x", "A\u{200d}da"] {
        let answer =
            ada.put("/api/user/profile", &json!({ "displayName": hidden })).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["displayName"]);
        let form = json!({ "username": unique_name(), "email": format!("{hidden}@example.com"), "password": "8 horses" });
        assert_eq!(registration(&form).fails(422, "VALIDATION_FAILED").fields(), ["email"]);
        let bob = shared_server().person();
        let group = json!({ "participantIds": [bob.id], "name": hidden });
        assert_eq!(ada.post("/api/conversations", &group).fails(422, "VALIDATION_FAILED").fields(), ["name"]);
    }
}

#[test]
fn username_of_another_user_is_refused_as_a_display_name() {
    let server = shared_server();
    let (ada, bob) = (server.person(), server.person());
    for name in [bob.username.clone(), bob.username.to_uppercase(), format!(" {} ", bob.username)] {
        let answer =
            ada.put("/api/user/profile", &json!({ "displayName": name })).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["displayName"]);
    }
    ada.put("/api/user/profile", &json!({ "displayName": ada.username.to_uppercase() })).data(200);
}

/// A stolen access token alone is not enough to take the account over.
#[test]
fn changing_the_email_asks_for_the_current_password() {
    let ada = shared_server().person();
    let email = format!("{}@example.com", unique_name());
    let without = ada.put("/api/user/profile", &json!({ "email": email })).fails(422, "VALIDATION_FAILED");
    assert_eq!(without.fields(), ["currentPassword"]);
    let wrong = json!({ "email": email, "currentPassword": "not this one" });
    assert_eq!(
        ada.put("/api/user/profile", &wrong).fails(422, "VALIDATION_FAILED").fields(),
        ["currentPassword"]
    );
    assert_eq!(ada.me()["email"], ada.email.as_str());
    let right = json!({ "email": email, "currentPassword": Person::PASSWORD });
    assert_eq!(ada.put("/api/user/profile", &right).data(200)["user"]["email"], email.as_str());
}

#[test]
fn deleted_account_ends_everywhere_and_its_messages_stay() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let elsewhere = ada.log_in();
    ada.send(&conversation, "still here");
    ada.delete("/api/auth/me").json(&json!({})).fails(422, "VALIDATION_FAILED");
    let wrong = json!({ "currentPassword": "not this one" });
    assert_eq!(
        ada.delete("/api/auth/me").json(&wrong).fails(422, "VALIDATION_FAILED").fields(),
        ["currentPassword"]
    );
    let right = json!({ "currentPassword": Person::PASSWORD });
    ada.delete("/api/auth/me").json(&right).data(200);
    ada.delete("/api/auth/me").json(&right).data(200);

    for session in [&ada, &elsewhere] {
        session.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
        assert_eq!(session.refresh_with(&session.refresh_token).code(), "TOKEN_REVOKED");
    }
    for name in [&ada.email, &ada.username] {
        let login = json!({ "email": name, "password": Person::PASSWORD });
        server.request("POST", "/api/auth/login").json(&login).fails(401, "INVALID_CREDENTIALS");
    }
    let history = bob.whole_history(&conversation);
    assert_eq!((&history[0]["content"], &history[0]["senderId"]), (&json!("still here"), &json!(ada.id)));
    let data = bob.get(&format!("/api/conversations/{conversation}")).data(200);
    let members = data["conversation"]["participants"].as_array().unwrap();
    let deleted = members.iter().find(|member| member["id"] == ada.id.as_str()).unwrap();
    assert_eq!(deleted["displayName"], "Deleted user");
    assert!(!data.to_string().contains(&ada.username), "{data}");
    let search = bob.get(&format!("/api/user/list?search={}", ada.username)).data(200);
    assert_eq!(search["users"], json!([]));
    let group = json!({ "participantIds": [ada.id], "name": "Group" });
    bob.post("/api/conversations", &group).fails(422, "VALIDATION_FAILED");
    bob.post("/api/messages/send", &json!({ "receiverId": ada.id, "content": "?" }))
        .fails(422, "VALIDATION_FAILED");

    let next = server.person_named(&ada.username);
    assert_ne!(next.id, ada.id, "the names are free");
}
