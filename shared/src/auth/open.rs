//! Opening a session: shared by registration and login.

use serde::Serialize;

use super::gate::Gate;
use super::security_log::{Requester, SecurityEvent, log_security};
use super::token::{format_refresh_token, hash_refresh_token};
use crate::error::Error;
use crate::id::{Entropy, SessionId};
use crate::session::Session;
use crate::user::{OwnUser, User};

/// The longest `User-Agent` that is stored, in characters.
const LONGEST_DEVICE: usize = 200;

/// The tokens that a client gets by registering, logging in or refreshing.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// Not part of the answer.
    #[serde(skip)]
    pub session_id: SessionId,
    /// Absent after a refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<OwnUser>,
    /// The JWT.
    pub access_token: String,
    /// Opaque to clients.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
}

/// The request that opens a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionOpening<'a> {
    /// The `User-Agent`; stored as the session's device, without control characters and cut to 200.
    pub user_agent: &'a str,
    pub requester: Requester<'a>,
    pub entropy: &'a Entropy,
}

/// Opens a new session for `user` and issues its first pair of tokens. A user who has too many sessions loses the one
/// that expires first; the heartbeat closes its sockets.
///
/// # Errors
/// `Unavailable`; `Internal` if the token cannot be signed.
pub async fn open_session(
    gate: &Gate<'_>,
    user: &User,
    opening: SessionOpening<'_>,
) -> Result<TokenPair, Error> {
    let SessionOpening { user_agent, requester, entropy } = opening;
    let now = requester.now;
    let id = SessionId::fresh(now, entropy);
    let refresh_token = format_refresh_token(&id, &entropy.secret());
    let session = Session {
        id: id.clone(),
        user_id: user.id.clone(),
        refresh_hash: hash_refresh_token(&refresh_token),
        device: user_agent.chars().filter(|c| !c.is_control()).take(LONGEST_DEVICE).collect(),
        created_at: now,
        last_seen_at: now,
        expires_at: now + gate.keys.refresh_ttl.min(gate.policy.lifetime),
    };
    for ended in gate.sessions.open(&session, gate.policy.per_user).await? {
        log_security(
            SecurityEvent::SessionEnded("too_many_sessions"),
            requester.of_session(&user.id, &ended),
        );
    }
    Ok(TokenPair {
        session_id: id.clone(),
        user: Some(user.into()),
        access_token: gate.keys.issue(&user.id, &id, now, entropy)?,
        refresh_token,
        expires_in: gate.keys.access_ttl.as_secs(),
    })
}
