//! `POST /api/auth/refresh` — exchanges a refresh token for a new pair of tokens; reusing an old one ends the session.

use shared::auth::{Gate, Refreshed, SecurityEvent, log_security, refresh};
use shared::error::{Error, Unauthenticated};
use shared::form::text;
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;

/// Answers 200 with a new pair of tokens; the old refresh token is replaced. Showing it again within the grace period
/// gets the same new one.
///
/// # Errors
/// `Unauthenticated`: `UNAUTHENTICATED` for text that is no refresh token; `TOKEN_REVOKED` for a token that was
/// replaced before or whose account is deactivated, and then its session and sockets end.
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
            if is_deactivated(users, &session.user_id).await {
                gate.sessions.end(&session.user_id, &session.id).await?;
                let requester = request.requester().of_session(&session.user_id, &session.id);
                log_security(SecurityEvent::SessionEnded("account_deactivated"), requester);
                fanout.end_session(&session.id, "account_deactivated", request.now).await;
                return Err(Error::Unauthenticated(Unauthenticated::Revoked));
            }
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

/// Whether the account is known to be deactivated. The rotation is done, so a store that is down does not fail the request.
async fn is_deactivated(users: &dyn Users, id: &UserId) -> bool {
    match users.by_ids(std::slice::from_ref(id)).await {
        Ok(found) => found.iter().all(|user| user.deactivated_at.is_some()),
        Err(error) => {
            tracing::warn!(%error, user_id = %id, "user not read");
            false
        }
    }
}
