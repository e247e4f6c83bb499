//! `PUT /api/user/profile` — changes the caller's name, e-mail or password; a new password ends the other sessions.

use serde_json::json;
use shared::auth::{Caller, Gate, Password, Passwords, SecurityEvent, log_security};
use shared::error::{Error, Unauthenticated};
use shared::form::{Form, text};
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;
use shared::user::{Email, OwnUser, UserChange, Username, parse_display_name};

/// Answers 200 with the changed user.
///
/// # Errors
/// `Unauthenticated`; `Invalid`, also for a wrong `currentPassword`; `Conflict` naming the field that is taken.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    fanout: Fanout<'_>,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let (mut change, new_password) = read(request.form()?)?;
    if let Some((new, current)) = new_password {
        let requester = request.requester().of_session(&caller.user_id, &caller.session_id);
        let (subject, limit) = (caller.user_id.as_str(), gate.rates.password_by_user);
        gate.take("password", subject, limit, requester).await?;
        if !confirm(users, passwords, &caller, current, &new).await? {
            log_security(SecurityEvent::PasswordRefused, requester);
            return Err(Error::field("currentPassword", "is wrong"));
        }
        gate.give_back("password", subject, limit, requester).await;
        change.password_hash = Some(passwords.hash(new, &request.entropy).await?);
        // A store of sessions that is down fails the request here, before anything has changed.
        end_other_sessions(gate, fanout, &caller, &request).await?;
    }
    let user = users.update(&caller.user_id, &change).await?;
    let user = user.ok_or(Error::Unauthenticated(Unauthenticated::Revoked))?;
    if change.password_hash.is_some() {
        // Again, because a login with the old password may have opened one in between.
        end_other_sessions(gate, fanout, &caller, &request).await?;
        let requester = request.requester().of_session(&caller.user_id, &caller.session_id);
        log_security(SecurityEvent::PasswordChanged, requester);
    }
    Reply::ok(json!({ "user": OwnUser::from(&user) }))
}

/// The change; with a new password, also the new and the current one.
fn read(mut form: Form) -> Result<(UserChange, Option<(Password, Password)>), Error> {
    let change = UserChange {
        username: form.optional("username", text(Username::parse)),
        email: form.optional("email", text(Email::parse)),
        display_name: form.optional("displayName", text(parse_display_name)),
        password_hash: None,
    };
    let new = form.optional("password", text(Password::parse));
    let current = form.optional("currentPassword", text(Password::for_comparison));
    match (&new, &current) {
        (Some(_), None) => form.add_error_once("currentPassword", "is required to set a new password"),
        (None, Some(_)) => form.add_error_once("password", "is required with currentPassword"),
        (Some(_), Some(_)) | (None, None) => {}
    }
    form.finish(|| Some((change, new.zip(current))))
}

async fn end_other_sessions(
    gate: Gate<'_>,
    fanout: Fanout<'_>,
    caller: &Caller,
    request: &Request,
) -> Result<(), Error> {
    for session in gate.sessions.end_all(&caller.user_id, Some(&caller.session_id)).await? {
        let requester = request.requester().of_session(&caller.user_id, &session);
        log_security(SecurityEvent::SessionEnded("password_changed"), requester);
        fanout.end_session(&session, "password_changed", request.now).await;
    }
    Ok(())
}

/// Checks the current password. The new one is accepted too if it is stored already: the request then repeats one that
/// failed after it had changed the password.
async fn confirm(
    users: &dyn Users,
    passwords: &Passwords,
    caller: &Caller,
    current: Password,
    new: &Password,
) -> Result<bool, Error> {
    let found = users.by_ids(std::slice::from_ref(&caller.user_id)).await?;
    let hash = found.first().map(|user| &user.password_hash);
    Ok(passwords.matches(current, hash).await? || passwords.matches(new.clone(), hash).await?)
}
