//! Sessions: one login on one device, with its chain of refresh tokens. Ending one kills both its tokens.

use serde::Serialize;

use crate::id::{SessionId, UserId};
use crate::time::Time;

/// A live session. An ended one is not stored at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the one refresh token that is good now, in hex.
    pub refresh_hash: String,
    /// The `User-Agent` at login, cut short.
    pub device: String,
    /// When it was opened.
    pub created_at: Time,
    /// The last refresh.
    pub last_seen_at: Time,
    /// When it ends by itself unless refreshed.
    pub expires_at: Time,
}

/// What showing a refresh token led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was the good one; the new one is good now.
    Rotated(Session),
    /// It was good once. The session has been ended.
    Reused(Session),
    /// No live session, or a token that was never its.
    Unknown,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Which.
    pub id: SessionId,
    /// The `User-Agent` at login.
    pub device: String,
    /// When it was opened.
    pub created_at: Time,
    /// The last refresh.
    pub last_seen_at: Time,
    /// Whether the request that asks belongs to it.
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
