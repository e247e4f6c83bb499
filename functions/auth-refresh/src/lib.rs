//! `POST /api/auth/refresh` — exchanges a refresh token for a new pair of tokens; reusing an old one ends the session.

use shared::auth::{Gate, TokenPair, format_refresh_token, hash_refresh_token, parse_refresh_token};
use shared::error::{Error, Unauthenticated};
use shared::form::text;
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::realtime::fanout::Fanout;
use shared::session::Rotation;

/// Answers 200 with a new pair of tokens; the old refresh token is revoked.
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
    let id = parse_refresh_token(&token).ok_or(Error::Unauthenticated(Unauthenticated::NoToken))?;
    let refresh_token = format_refresh_token(&id, &request.entropy.secret());
    let expires_at = request.now + gate.keys.refresh_ttl;
    let (shown, new) = (hash_refresh_token(&token), hash_refresh_token(&refresh_token));
    match gate.sessions.rotate(&id, &shown, &new, request.now, expires_at).await? {
        Rotation::Rotated(session) => {
            users.mark_seen(&session.user_id, request.now).await?;
            let access_token = gate.keys.issue(&session.user_id, &id, request.now, &request.entropy)?;
            let expires_in = gate.keys.access_ttl.as_secs();
            Reply::ok(TokenPair { user: None, access_token, refresh_token, expires_in })
        }
        Rotation::Reused(session) => {
            fanout.end_session(&session.id, "refresh_token_reused", request.now).await;
            Err(Error::Unauthenticated(Unauthenticated::Revoked))
        }
        Rotation::Unknown => Err(Error::Unauthenticated(Unauthenticated::Revoked)),
    }
}
