//! `POST /api/auth/login` — opens a session for an e-mail or username and a password.

use shared::auth::{Gate, LoginAttempt, Password, Passwords, SecurityEvent, log_security, open_session};
use shared::error::{Error, Unauthenticated};
use shared::form::{Form, text};
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::unicode::fold_name;
use shared::user::{Login, User};

/// Answers 200 with a pair of tokens. An unknown user and a wrong password get the same answer after the
/// same work.
///
/// # Errors
/// `Invalid`; `Unauthenticated` with `INVALID_CREDENTIALS`; `RateLimited` after too many failures, see [`LoginAttempt`].
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit_anonymous(request.credentials()).await?;
    let (login, password) = read(request.form()?)?;
    let (Login::Email(name) | Login::Username(name)) = &login;
    let user = users.by_login(&login).await?.filter(|user| user.deactivated_at.is_none());
    let mut attempt = LoginAttempt::begin(gate, name, request.requester()).await?;
    attempt.brake(name, user.as_ref()).await?;
    let hash = user.as_ref().map(|user| &user.password_hash);
    match (passwords.matches(password, hash).await?, &user) {
        (true, Some(user)) => {
            attempt.succeed(user).await;
            open(gate, users, user, &request).await
        }
        (_, known) => {
            let requester = request.requester();
            let requester = known.as_ref().map_or(requester, |user| requester.of_user(&user.id));
            log_security(SecurityEvent::LoginFailed, requester);
            Err(Error::Unauthenticated(Unauthenticated::Credentials))
        }
    }
}

async fn open(gate: Gate<'_>, users: &dyn Users, user: &User, request: &Request) -> Result<Reply, Error> {
    let pair = open_session(&gate, user, request.session_opening()).await?;
    // A deletion of the account that ran meanwhile has not seen this session.
    if !is_active(users, &user.id).await? {
        gate.sessions.end(&user.id, &pair.session_id).await?;
        return Err(Error::Unauthenticated(Unauthenticated::Credentials));
    }
    log_security(SecurityEvent::LoggedIn, request.requester().of_session(&user.id, &pair.session_id));
    // The session is open, so nothing after it may fail the request.
    if let Err(error) = users.mark_seen(&user.id, request.now).await {
        tracing::warn!(%error, user_id = %user.id, "last-seen time not stored");
    }
    Reply::ok(pair)
}

async fn is_active(users: &dyn Users, id: &UserId) -> Result<bool, Error> {
    let found = users.by_ids(std::slice::from_ref(id)).await?;
    Ok(found.iter().any(|user| user.deactivated_at.is_none()))
}

/// The field `email` may also contain a username, as forms with one input send it.
fn read(mut form: Form) -> Result<(Login, Password), Error> {
    let email = form.optional("email", text(login));
    let username = form.optional("username", text(login));
    let password = form.required("password", text(Password::for_comparison));
    if email.is_none() && username.is_none() {
        form.add_error_unless_any(&["email", "username"], "is required, or else username");
    }
    form.finish(|| Some((email.or(username)?, password?)))
}

fn login(text: &str) -> Result<Login, String> {
    // Folding makes a text longer; the longest names are checked before it.
    let text: String = text.trim().chars().take(255).collect();
    let folded = fold_name(&text);
    match text.chars().take(255).count() {
        0 => Err("must not be empty".to_owned()),
        255 => Err("must be at most 254 characters".to_owned()),
        _ if folded.contains('@') => Ok(Login::Email(folded)),
        _ => Ok(Login::Username(folded)),
    }
}
