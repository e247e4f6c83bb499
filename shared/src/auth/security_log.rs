//! The security log: one line per event that matters for the safety of an account, with the target `ulak::security`. It
//! contains no password, no token and no name that a client typed.

use super::origin::Origin;
use crate::id::{SessionId, UserId};
use crate::telemetry::SECURITY;
use crate::time::Time;

/// Who sent a request, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    pub user_id: Option<&'a UserId>,
    pub session_id: Option<&'a SessionId>,
    /// The addresses of the request; empty for a schedule.
    pub origin: Origin<'a>,
    /// API Gateway's request id.
    pub request_id: &'a str,
    /// When the gateway received the request.
    pub now: Time,
}

impl<'a> Requester<'a> {
    /// The same request, of this user.
    #[must_use]
    pub fn of_user(self, user_id: &'a UserId) -> Self {
        Self { user_id: Some(user_id), ..self }
    }

    /// The same request, concerning this session of this user.
    #[must_use]
    pub fn of_session(self, user_id: &'a UserId, session_id: &'a SessionId) -> Self {
        Self { user_id: Some(user_id), session_id: Some(session_id), ..self }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityEvent {
    Registered,
    LoggedIn,
    /// The user is unknown, or the password is wrong.
    LoginFailed,
    /// The caller of an authenticated request gave a wrong current password.
    PasswordRefused,
    PasswordChanged,
    EmailChanged,
    AccountDeleted,
    /// A refresh token was shown that had been replaced before.
    RefreshTokenReused,
    /// Says why, with the reason that the session's sockets receive.
    SessionEnded(&'static str),
    /// Names the limit.
    LimitHit(&'static str),
}

impl SecurityEvent {
    fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::PasswordRefused => "password_refused",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::AccountDeleted => "account_deleted",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::SessionEnded(_) => "session_ended",
            Self::LimitHit(_) => "limit_hit",
        }
    }
}

/// Writes one line.
pub fn log_security(event: SecurityEvent, requester: Requester<'_>) {
    let detail = match event {
        SecurityEvent::SessionEnded(detail) | SecurityEvent::LimitHit(detail) => Some(detail),
        _ => None,
    };
    tracing::info!(
        target: SECURITY,
        event = event.name(),
        detail,
        user_id = requester.user_id.map(UserId::as_str),
        session_id = requester.session_id.map(SessionId::as_str),
        address = requester.origin.source_ip,
        forwarded_for = requester.origin.forwarded_for,
        request_id = requester.request_id,
        "security event"
    );
}
