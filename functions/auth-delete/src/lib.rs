//! `DELETE /api/auth/me` — deletes the caller's account, ends its sessions and frees its names; its messages stay.

use shared::auth::{Caller, Gate, Password, Passwords, SecurityEvent, confirm_password, log_security};
use shared::error::{Error, Unauthenticated};
use shared::form::text;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;
use shared::reply_data::AccountDeletedData;

/// The reason that the sockets receive.
const REASON: &str = "account_deleted";

/// Answers 200. The account is deleted first and then everything that it could be used through, so that no session of a
/// deleted account can be opened in between. A repeat after a failure finishes what is left, without the password.
///
/// # Errors
/// `Unauthenticated`; `Invalid` for a wrong `currentPassword`; `RateLimited` by wrong passwords; `Unavailable`.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    passwords: &Passwords,
    fanout: Fanout<'_>,
    request: Request,
) -> Result<Reply, Error> {
    let credentials = request.credentials();
    let (caller, is_live) = match (gate.admit(credentials).await, credentials.token) {
        (Err(Error::Unauthenticated(Unauthenticated::Revoked)), Some(token)) => {
            (gate.identify_ended(token, request.now).await?, false)
        }
        (admitted, _) => (admitted?, true),
    };
    let mut form = request.form()?;
    let current = form.required("currentPassword", text(Password::for_comparison));
    let current = form.finish(|| current)?;
    let found = users.by_ids(std::slice::from_ref(&caller.user_id)).await?.pop();
    match found {
        Some(user) if user.is_deleted() => {}
        Some(user) if is_live => {
            let requester = request.requester().of_session(&caller.user_id, &caller.session_id);
            confirm_password(gate, passwords, &user, requester, current, None).await?;
            users.delete_account(&user.id, request.now).await?;
            log_security(SecurityEvent::AccountDeleted, requester);
        }
        _ => return Err(Error::Unauthenticated(Unauthenticated::Revoked)),
    }
    end_everything(gate, fanout, &caller, &request).await?;
    Ok(Reply::ok(AccountDeletedData { id: caller.user_id })?.with_message("The account was deleted."))
}

/// Ends the sessions, closes the sockets, and forgets the addresses of a deleted account.
async fn end_everything(
    gate: Gate<'_>,
    fanout: Fanout<'_>,
    caller: &Caller,
    request: &Request,
) -> Result<(), Error> {
    for session in gate.sessions.end_all(&caller.user_id, None).await? {
        let requester = request.requester().of_session(&caller.user_id, &session);
        log_security(SecurityEvent::SessionEnded(REASON), requester);
    }
    fanout.close_user(&caller.user_id, REASON, request.now).await?;
    gate.addresses.forget(&caller.user_id).await?;
    Ok(())
}
