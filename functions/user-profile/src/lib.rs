//! `PUT /api/user/profile` — changes the caller's name, e-mail or password; a new password ends the other sessions.

use shared::auth::{Caller, Gate, Password, Passwords, SecurityEvent, confirm_password, log_security};
use shared::error::{Error, Unauthenticated};
use shared::form::{Form, text};
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;
use shared::reply_data::UserData;
use shared::unicode::fold_name;
use shared::user::{Email, Login, User, UserChange, Username, parse_display_name};

/// What the body asks for.
struct ProfileRequest {
    change: UserChange,
    new_password: Option<Password>,
    /// Present with a new e-mail or a new password.
    current: Option<Password>,
}

/// Answers 200 with the changed user.
///
/// # Errors
/// `Unauthenticated`; `Invalid`, also for a wrong `currentPassword` and for the username of another user as
/// `displayName`; `Conflict` naming the field that is taken.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    fanout: Fanout<'_>,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let requester = request.requester().of_session(&caller.user_id, &caller.session_id);
    let ProfileRequest { mut change, new_password, current } = read(request.form()?, passwords)?;
    refuse_foreign_name(users, &caller, &change).await?;
    if let Some(current) = current {
        let user = users.by_ids(std::slice::from_ref(&caller.user_id)).await?.pop();
        let user = user.ok_or(Error::Unauthenticated(Unauthenticated::Revoked))?;
        confirm_password(gate, passwords, &user, requester, current, new_password.as_ref()).await?;
        if let Some(new) = new_password {
            refuse_own_names(passwords, &user, &change, &new)?;
            change.password_hash = Some(passwords.hash(new, &request.entropy).await?);
            // A store of sessions that is down fails the request here, before anything has changed.
            end_other_sessions(gate, fanout, &caller, &request).await?;
        }
    }
    let user = users.update(&caller.user_id, &change).await?;
    let user = user.ok_or(Error::Unauthenticated(Unauthenticated::Revoked))?;
    if change.email.is_some() {
        log_security(SecurityEvent::EmailChanged, requester);
    }
    if change.password_hash.is_some() {
        // Again, because a login with the old password may have opened one in between.
        end_other_sessions(gate, fanout, &caller, &request).await?;
        log_security(SecurityEvent::PasswordChanged, requester);
    }
    Reply::ok(UserData { user: (&user).into() })
}

fn read(mut form: Form, passwords: &Passwords) -> Result<ProfileRequest, Error> {
    let change = UserChange {
        username: form.optional("username", text(Username::parse)),
        email: form.optional("email", text(Email::parse)),
        display_name: form.optional("displayName", text(parse_display_name)),
        password_hash: None,
    };
    let new_password = form.optional("password", text(|new| passwords.policy.parse(new)));
    let current = form.optional("currentPassword", text(Password::for_comparison));
    match (change.email.is_some() || new_password.is_some(), &current) {
        (true, None) => {
            form.add_error_once("currentPassword", "is required to change the e-mail or the password");
        }
        (false, Some(_)) => {
            form.add_error_unless_any(
                &["password", "email"],
                "is required with currentPassword, or else email",
            );
        }
        (true, Some(_)) | (false, None) => {}
    }
    form.finish(|| Some(ProfileRequest { change, new_password, current }))
}

/// Refuses a display name that is the username of another user: messages would seem to come from that user.
async fn refuse_foreign_name(users: &dyn Users, caller: &Caller, change: &UserChange) -> Result<(), Error> {
    let Some(name) = &change.display_name else { return Ok(()) };
    let found = users.by_login(&Login::Username(fold_name(name))).await?;
    match found {
        Some(other) if other.id != caller.user_id => {
            Err(Error::field("displayName", "must not be the username of another user"))
        }
        _ => Ok(()),
    }
}

/// Refuses a new password that is a name of the user, as it is after the change.
fn refuse_own_names(
    passwords: &Passwords,
    user: &User,
    change: &UserChange,
    new: &Password,
) -> Result<(), Error> {
    let username = change.username.as_ref().unwrap_or(&user.username);
    let email = change.email.as_ref().unwrap_or(&user.email);
    let refused = passwords.policy.refuse_names(new, &[username.key(), email.key()]);
    refused.map_err(|message| Error::field("password", message))
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
