//! `POST /api/auth/login` — opens a session for an e-mail or username and a password.

use shared::auth::{Gate, Password, Passwords, open_session};
use shared::error::{Error, Unauthenticated};
use shared::form::{Form, text};
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::user::{Login, fold_case};

/// Answers 200 with a pair of tokens. An unknown user and a wrong password get the same answer after the
/// same work.
///
/// # Errors
/// `Invalid`, `RateLimited` by address and by account, `Unauthenticated` with `INVALID_CREDENTIALS`.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit_anonymous(request.credentials()).await?;
    let (login, password) = read(request.form()?)?;
    gate.take_by_address("login", request.origin(), gate.rates.login_by_ip, request.now).await?;
    let user = users.by_login(&login).await?.filter(|user| user.deactivated_at.is_none());
    // One limit per account, whichever of its names is tried. A name without an account has a limit too.
    let (Login::Email(name) | Login::Username(name)) = &login;
    let account = user.as_ref().map_or(name.as_str(), |user| user.id.as_str());
    gate.take("account", account, gate.rates.login_by_account, request.now).await?;
    let hash = user.as_ref().map(|user| &user.password_hash);
    match (passwords.matches(password, hash).await?, user) {
        (true, Some(user)) => {
            users.mark_seen(&user.id, request.now).await?;
            Reply::ok(open_session(&gate, &user, request.session_opening()).await?)
        }
        _ => Err(Error::Unauthenticated(Unauthenticated::Credentials)),
    }
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
    let folded = fold_case(text.trim());
    match folded.chars().take(255).count() {
        0 => Err("must not be empty".to_owned()),
        255 => Err("must be at most 254 characters".to_owned()),
        _ if folded.contains('@') => Ok(Login::Email(folded)),
        _ => Ok(Login::Username(folded)),
    }
}
