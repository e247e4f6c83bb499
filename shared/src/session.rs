//! Sessions: one login on one device, with its refresh tokens. When a session ends, its tokens are revoked.

use std::time::Duration;

use serde::Serialize;

use crate::id::{SessionId, UserId};
use crate::time::Time;

/// A live session. Sessions that ended are not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    /// SHA-256 of the current refresh token, in hex.
    pub refresh_hash: String,
    /// The `User-Agent` at login, cut to 200 characters.
    pub device: String,
    pub created_at: Time,
    /// The last refresh.
    pub last_seen_at: Time,
    /// The session ends then, unless it is refreshed before.
    pub expires_at: Time,
}

/// A refresh token that a client shows, and the one that is to replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationRequest {
    pub id: SessionId,
    /// The hash of the token that the client shows.
    pub shown_hash: String,
    /// The hash of the token that is to replace it.
    pub new_hash: String,
    /// The new token, encrypted so that only the shown one decrypts it.
    pub sealed_token: String,
    pub now: Time,
    /// When the session is to expire, unless `lifetime` ends it before.
    pub expires_at: Time,
    /// How long a session may live after its `created_at`, however often it is refreshed.
    pub lifetime: Duration,
    /// How long after a rotation the replaced token may be shown again.
    pub grace: Duration,
}

/// The outcome of exchanging a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token was the current one; the new one has replaced it.
    Rotated(Session),
    /// The latest rotation replaced the token less than `grace` ago; nothing changed. `sealed_token` is the one of
    /// that rotation: the session's current token.
    Repeated { session: Session, sealed_token: String },
    /// The token was replaced before; the session has been ended.
    Reused(Session),
    /// The session is not live, or the token was never one of its tokens.
    Unknown,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    pub id: SessionId,
    pub device: String,
    pub created_at: Time,
    pub last_seen_at: Time,
    /// Whether this is the session of the request.
    pub current: bool,
}

impl Session {
    /// The view for a caller whose own session is `current`.
    pub fn view(&self, current: &SessionId) -> SessionView {
        SessionView {
            id: self.id.clone(),
            device: self.device.clone(),
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
            current: self.id == *current,
        }
    }
}
