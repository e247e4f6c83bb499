//! `POST /api/auth/refresh` — exchanges a refresh token for a new pair of tokens; reusing an old one ends the session.

use shared::auth::{Gate, Refreshed, SecurityEvent, log_security, refresh};
use shared::error::{Error, Unauthenticated};
use shared::form::text;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;

/// Answers 200 with a new pair of tokens; the old refresh token is replaced. Showing it again within the grace period
/// gets the same new one.
///
/// # Errors
/// `Unauthenticated`: `UNAUTHENTICATED` for text that is no refresh token; `TOKEN_REVOKED` for a token that was
/// replaced before, and then its session and sockets end.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    fanout: Fanout<'_>,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit_anonymous(request.credentials()).await?;
    let mut form = request.form()?;
    let token = form.required("refreshToken", text(|token| Ok(token.to_owned())));
    let token = form.finish(|| token)?;
    match refresh(&gate, &token, request.now, &request.entropy).await? {
        Refreshed::Pair(session, pair) => {
            // The rotation is done, so nothing after it may fail the request.
            if let Err(error) = users.mark_seen(&session.user_id, request.now).await {
                tracing::warn!(%error, user_id = %session.user_id, "last-seen time not stored");
            }
            Reply::ok(pair)
        }
        Refreshed::Reused(session) => {
            let requester = request.requester().of_session(&session.user_id, &session.id);
            log_security(SecurityEvent::RefreshTokenReused, requester);
            log_security(SecurityEvent::SessionEnded("refresh_token_reused"), requester);
            fanout.end_session(&session.id, "refresh_token_reused", request.now).await;
            Err(Error::Unauthenticated(Unauthenticated::Revoked))
        }
        Refreshed::Unknown => Err(Error::Unauthenticated(Unauthenticated::Revoked)),
    }
}
