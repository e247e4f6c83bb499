//! `DELETE /api/auth/sessions/{id}` — ends one of the caller's sessions, which revokes its tokens and closes its
//! sockets.

use shared::auth::{Gate, SecurityEvent, log_security};
use shared::error::Error;
use shared::id::SessionId;
use shared::lambda::http::{Reply, Request};
use shared::realtime::fanout::Fanout;
use shared::reply_data::SessionEndData;

/// Answers 200.
///
/// # Errors
/// `Unauthenticated`; `NotFound` when the caller has no such session.
pub async fn handle(gate: Gate<'_>, fanout: Fanout<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("id", "the session", SessionId::parse)?;
    if !gate.sessions.end(&caller.user_id, &id).await? {
        return Err(Error::NotFound("the session"));
    }
    let requester = request.requester().of_session(&caller.user_id, &id);
    log_security(SecurityEvent::SessionEnded("session_deleted"), requester);
    fanout.end_session(&id, "session_deleted", request.now).await;
    Reply::ok(SessionEndData { id })
}
