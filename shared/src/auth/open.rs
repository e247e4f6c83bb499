//! Opening a session: what register and login have in common.

use serde::Serialize;

use super::{Gate, refresh_hash, refresh_text};
use crate::error::Error;
use crate::id::SessionId;
use crate::lambda::http::Request;
use crate::session::Session;
use crate::user::{OwnUser, User};

/// What a client gets when it has logged in, registered or refreshed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// The user, as the user sees it; absent after a refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<OwnUser>,
    /// The JWT.
    pub access_token: String,
    /// The opaque refresh token.
    pub refresh_token: String,
    /// Seconds until the access token ends.
    pub expires_in: u64,
}

/// A new session on the device that asks, with its first pair of tokens.
pub async fn open_session(gate: &Gate<'_>, user: &User, request: &Request) -> Result<TokenPair, Error> {
    let id = SessionId::fresh(request.now, &request.entropy);
    let refresh_token = refresh_text(&id, &request.entropy.secret());
    let session = Session {
        id: id.clone(),
        user_id: user.id.clone(),
        refresh_hash: refresh_hash(&refresh_token),
        device: device(&request.user_agent),
        created_at: request.now,
        last_seen_at: request.now,
        expires_at: request.now + gate.keys.refresh_ttl,
    };
    gate.sessions.open(&session).await?;
    Ok(TokenPair {
        user: Some(user.into()),
        access_token: gate.keys.issue(&user.id, &id, request.now, &request.entropy)?,
        refresh_token,
        expires_in: gate.keys.access_ttl.as_secs(),
    })
}

/// A `User-Agent` as it is kept: printable, at most 200 characters.
pub fn device(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(200).collect()
}
