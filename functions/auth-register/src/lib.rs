//! `POST /api/auth/register` — creates a user from a username, an e-mail and a password, and opens a session.

use std::time::Duration;

use shared::auth::{Gate, Password, Passwords, SecurityEvent, log_security, open_session};
use shared::error::{Error, StoreError};
use shared::form::text;
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::user::{Email, Login, User, Username};

/// How long after a registration its repeat opens a session instead of answering that the names are taken.
const REPEAT_WINDOW: Duration = Duration::from_secs(600);

/// Stores the user and answers 201 with the first pair of tokens. So does a repeat of a registration that had stored the
/// user and then failed: it has the same names and the same password.
///
/// # Errors
/// `Invalid`, `RateLimited` by address, `Conflict` naming the field that is taken.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit_anonymous(request.credentials()).await?;
    let mut form = request.form()?;
    let username = form.required("username", text(Username::parse));
    let email = form.required("email", text(Email::parse));
    let password = form.required("password", text(|password| passwords.policy.parse(password)));
    if let (Some(username), Some(email), Some(password)) = (&username, &email, &password)
        && let Err(message) = passwords.policy.refuse_names(password, &[username.key(), email.key()])
    {
        form.add_error("password", message);
    }
    let (username, email, password) = form.finish(|| Some((username?, email?, password?)))?;
    gate.take_by_address("register", gate.rates.register_by_ip, request.requester()).await?;
    let new = User {
        id: UserId::fresh(request.now, &request.entropy),
        display_name: username.as_str().to_owned(),
        username,
        email,
        password_hash: passwords.hash(password.clone(), &request.entropy).await?,
        created_at: request.now,
        last_seen_at: request.now,
        deactivated_at: None,
    };
    let user = match users.insert(&new).await {
        Ok(()) => new,
        Err(taken @ StoreError::Taken(_)) => {
            stored_before(users, passwords, &new, password).await?.ok_or_else(|| Error::from(taken))?
        }
        Err(error) => return Err(error.into()),
    };
    let pair = open_session(&gate, &user, request.session_opening()).await?;
    log_security(SecurityEvent::Registered, request.requester().of_session(&user.id, &pair.session_id));
    gate.remember_address(&user.id, request.requester()).await;
    Ok(Reply::created(pair)?.with_message("Welcome."))
}

/// The user that an earlier attempt of this registration has stored.
async fn stored_before(
    users: &dyn Users,
    passwords: &Passwords,
    new: &User,
    password: Password,
) -> Result<Option<User>, Error> {
    let found = users.by_login(&Login::Username(new.username.key())).await?.filter(|found| {
        found.email.key() == new.email.key()
            && found.deactivated_at.is_none()
            && new.created_at < found.created_at + REPEAT_WINDOW
    });
    let Some(found) = found else { return Ok(None) };
    let is_same = passwords.matches(password, Some(&found.password_hash)).await?;
    Ok(is_same.then_some(found))
}
