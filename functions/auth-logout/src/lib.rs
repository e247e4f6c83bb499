//! `POST /api/auth/logout` — ends the caller's session, or all of them, which revokes the tokens and closes the
//! sockets.

use shared::auth::{Gate, SecurityEvent, log_security};
use shared::error::{Error, Unauthenticated};
use shared::form::boolean;
use shared::lambda::http::{Reply, Request};
use shared::realtime::fanout::Fanout;
use shared::reply_data::LogoutData;

/// Answers 200 with the number of sessions that ended. Its repeat, with a token whose session has ended, closes the
/// sockets that are still open and answers 200 with 0.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `Unavailable`, also when the sockets of an ended session cannot be listed.
pub async fn handle(gate: Gate<'_>, fanout: Fanout<'_>, request: Request) -> Result<Reply, Error> {
    let credentials = request.credentials();
    let (caller, is_live) = match (gate.admit(credentials).await, credentials.token) {
        (Err(Error::Unauthenticated(Unauthenticated::Revoked)), Some(token)) => {
            (gate.identify_ended(token, request.now).await?, false)
        }
        (admitted, _) => (admitted?, true),
    };
    let mut form = request.form_or_empty()?;
    let everywhere = form.optional("everywhere", boolean).unwrap_or(false);
    let everywhere = form.finish(|| Some(everywhere))?;
    // The token of an ended session ends no other session: it may be a stolen one that its owner has revoked.
    let ended = match (is_live, everywhere) {
        (false, _) => Vec::new(),
        (true, true) => gate.sessions.end_all(&caller.user_id, None).await?,
        (true, false) => {
            gate.sessions.end(&caller.user_id, &caller.session_id).await?;
            vec![caller.session_id.clone()]
        }
    };
    for session in &ended {
        let requester = request.requester().of_session(&caller.user_id, session);
        log_security(SecurityEvent::SessionEnded("logged_out"), requester);
    }
    for session in ended.iter().filter(|session| **session != caller.session_id) {
        fanout.end_session(session, "logged_out", request.now).await;
    }
    fanout.close_session(&caller.session_id, "logged_out", request.now).await?;
    Ok(Reply::ok(LogoutData { ended: ended.len() })?.with_message("Logged out."))
}
