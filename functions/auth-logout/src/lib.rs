//! `POST /api/auth/logout` — ends the caller's session, or all of them, which revokes the tokens and closes the
//! sockets.

use shared::auth::Gate;
use shared::error::Error;
use shared::form::boolean;
use shared::lambda::http::{Reply, Request};
use shared::realtime::fanout::Fanout;
use shared::reply_data::LogoutData;

/// Answers 200 with the number of sessions that ended.
///
/// # Errors
/// `Unauthenticated`, `Invalid`.
pub async fn handle(gate: Gate<'_>, fanout: Fanout<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let mut form = request.form_or_empty()?;
    let everywhere = form.optional("everywhere", boolean).unwrap_or(false);
    let everywhere = form.finish(|| Some(everywhere))?;
    let ended = if everywhere {
        gate.sessions.end_all(&caller.user_id, None).await?
    } else {
        gate.sessions.end(&caller.user_id, &caller.session_id).await?;
        vec![caller.session_id]
    };
    for session in &ended {
        fanout.end_session(session, "logged_out", request.now).await;
    }
    Ok(Reply::ok(LogoutData { ended: ended.len() })?.with_message("Logged out."))
}
