//! `POST /api/auth/register` — creates a user from a username, an e-mail and a password, and opens a session.

use shared::auth::{Gate, Password, Passwords, open_session};
use shared::error::Error;
use shared::form::text;
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::user::{Email, User, Username};

/// Stores the user and answers 201 with the first pair of tokens.
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
    let password = form.required("password", text(Password::parse));
    let (username, email, password) = form.finish(|| Some((username?, email?, password?)))?;
    gate.take("register", &request.source_ip, gate.rates.register_by_ip, request.requester()).await?;
    let user = User {
        id: UserId::fresh(request.now, &request.entropy),
        display_name: username.as_str().to_owned(),
        username,
        email,
        password_hash: passwords.hash(password, &request.entropy).await?,
        created_at: request.now,
        last_seen_at: request.now,
        deactivated_at: None,
    };
    users.insert(&user).await?;
    Ok(Reply::created(open_session(&gate, &user, request.session_opening()).await?)?.with_message("Welcome."))
}
