//! `/api/auth` and the caller's profile.

use shared::auth::TokenPair;
use shared::reply_data::{AccountDeletedData, LogoutData, SessionEndData, SessionsData, UserData};

use crate::operation::{Operation, operation};
use crate::{examples, fields, requests};

pub(crate) fn all() -> Vec<Operation> {
    vec![
        register(),
        login(),
        refresh(),
        logout(),
        sessions(),
        session_end(),
        me(),
        delete(),
        profile("PUT /api/user/profile"),
        profile("PUT /api/auth/me").alias(2),
    ]
}

fn tokens(with_user: bool) -> TokenPair {
    TokenPair {
        session_id: examples::session().id,
        user: with_user.then(examples::own_user),
        access_token: examples::ACCESS_TOKEN.to_owned(),
        refresh_token: examples::REFRESH_TOKEN.to_owned(),
        expires_in: 900,
    }
}

fn user() -> UserData {
    UserData { user: examples::own_user() }
}

fn register() -> Operation {
    let sentence = "creates a user from a username, an e-mail and a password, and opens a session";
    operation("auth", "POST /api/auth/register", "auth-register", sentence)
        .public()
        .body(requests::register())
        .replies(201, tokens(true))
        .with_message("Welcome.")
        .fails_with(&["CONFLICT"])
}

fn login() -> Operation {
    let sentence = "opens a session for an e-mail or username and a password";
    operation("auth", "POST /api/auth/login", "auth-login", sentence)
        .public()
        .description("An unknown user and a wrong password get the same answer.")
        .body(requests::login())
        .replies(200, tokens(true))
        .fails_with(&["INVALID_CREDENTIALS"])
}

fn refresh() -> Operation {
    let sentence = "exchanges a refresh token for a new pair of tokens; reusing an old one ends the session";
    operation("auth", "POST /api/auth/refresh", "auth-refresh", sentence)
        .public()
        .body(requests::refresh())
        .replies(200, tokens(false))
        .fails_with(&["UNAUTHENTICATED", "TOKEN_REVOKED"])
}

fn logout() -> Operation {
    let sentence =
        "ends the caller's session, or all of them, which revokes the tokens and closes the sockets";
    operation("auth", "POST /api/auth/logout", "auth-logout", sentence)
        .description(
            "A repeat with the token of a session that has ended answers 200 too, and ends no other session.",
        )
        .optional_body(requests::logout())
        .never_fails_with("TOKEN_REVOKED")
        .replies(200, LogoutData { ended: 1 })
        .with_message("Logged out.")
}

fn sessions() -> Operation {
    let sentence = "lists the caller's live sessions, newest first";
    operation("auth", "GET /api/auth/sessions", "auth-sessions", sentence)
        .replies(200, SessionsData { sessions: vec![examples::session()] })
}

fn session_end() -> Operation {
    let sentence = "ends one of the caller's sessions, which revokes its tokens and closes its sockets";
    operation("auth", "DELETE /api/auth/sessions/{id}", "auth-session-end", sentence)
        .path_id(fields::path("id", "one of the caller's sessions"))
        .replies(200, SessionEndData { id: examples::session().id })
}

fn me() -> Operation {
    let sentence = "returns the caller's own user, with e-mail";
    operation("auth", "GET /api/auth/me", "auth-me", sentence).replies(200, user())
}

fn delete() -> Operation {
    let sentence = "deletes the caller's account, ends its sessions and frees its names; its messages stay";
    operation("auth", "DELETE /api/auth/me", "auth-delete", sentence)
        .description("A repeat after a failure finishes the deletion.")
        .body(requests::delete_account())
        .replies(200, AccountDeletedData { id: examples::own_user().public.id })
        .with_message("The account was deleted.")
}

fn profile(route: &'static str) -> Operation {
    let sentence = "changes the caller's name, e-mail or password; a new password ends the other sessions";
    operation("auth", route, "user-profile", sentence)
        .description(
            "Fields that are left out stay as they are. A new e-mail or password needs the current password.",
        )
        .body(requests::profile())
        .replies(200, user())
        .fails_with(&["CONFLICT"])
}
