//! `GET /api/auth/sessions` — lists the caller's live sessions, newest first.

use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::reply_data::SessionsData;

/// Answers 200 with device, creation time and last-seen time of each; the caller's own has `current: true`.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(gate: Gate<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let sessions = gate.sessions.list(&caller.user_id, request.now).await?;
    let sessions = sessions.iter().map(|session| session.view(&caller.session_id)).collect();
    Reply::ok(SessionsData { sessions })
}
