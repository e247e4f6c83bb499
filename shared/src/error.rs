//! The failures of the domain in its own words, and the failure of a store. No HTTP, no AMQP here:
//! each door translates, exhaustively and once.

use std::error::Error as StdError;

use serde::Serialize;

/// What a rule or a handler may fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is not JSON at all.
    #[error("the body is not valid JSON")]
    InvalidJson,
    /// A body that is not `application/json`.
    #[error("send application/json")]
    UnsupportedMediaType,
    /// More than this function reads, or than a frame holds.
    #[error("{0}")]
    PayloadTooLarge(&'static str),
    /// Well-formed, but with wrong fields: all of them.
    #[error("some fields are wrong")]
    Invalid(Vec<FieldError>),
    /// Nobody we know.
    #[error("{0}")]
    Unauthenticated(Unauthenticated),
    /// Known, but not allowed, and the thing's existence is no secret.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No such thing, or none that the caller may know of.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// Somebody was there first.
    #[error("{0}")]
    Conflict(String),
    /// Too many, too fast.
    #[error("too many requests; try again in {} s", .0.retry_after_secs)]
    RateLimited(RateLimited),
    /// A store is down; the same request may be sent again.
    #[error("the service is briefly unavailable; send the same request again")]
    Unavailable(#[source] StoreFailure),
    /// A fault of ours. The cause is for the log alone.
    #[error("something went wrong on our side")]
    Internal(#[source] Cause),
}

/// A cause that only the log sees.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name as the client sent it.
    pub field: String,
    /// What is wrong, for a person.
    pub message: String,
}

/// Why the caller is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// No token, or one that we never made.
    #[error("a valid access token is required")]
    NoToken,
    /// The access token's time is over.
    #[error("the access token has expired")]
    Expired,
    /// The session was ended.
    #[error("the session has ended")]
    Revoked,
    /// Unknown user or wrong password, which of them is not said.
    #[error("e-mail, username or password is wrong")]
    Credentials,
}

impl Unauthenticated {
    /// The code that clients switch on.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoToken => "UNAUTHENTICATED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "TOKEN_REVOKED",
            Self::Credentials => "INVALID_CREDENTIALS",
        }
    }

    /// What has this code.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [Self::NoToken, Self::Expired, Self::Revoked, Self::Credentials];
        all.into_iter().find(|why| why.code() == code)
    }
}

/// The limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited {
    /// How many are allowed in the window.
    pub limit: u32,
    /// Seconds until one more is allowed, at least 1.
    pub retry_after_secs: u64,
}

/// A store that did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{store} is unavailable")]
pub struct StoreFailure {
    /// The store, by the name that health reports.
    pub store: &'static str,
    /// What the driver said.
    #[source]
    pub cause: Cause,
}

/// What a port may fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken; the name of the key's field.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The store did not answer, or not in time.
    #[error(transparent)]
    Down(#[from] StoreFailure),
    /// The store answered something that we cannot read.
    #[error("{0} holds something unreadable")]
    Corrupt(&'static str, #[source] Cause),
}

impl StoreError {
    /// The store did not answer.
    pub fn down(store: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Down(StoreFailure { store, cause: cause.into() })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(field) => Self::Conflict(format!("this {field} is taken")),
            StoreError::Down(failure) => Self::Unavailable(failure),
            corrupt @ StoreError::Corrupt(..) => Self::Internal(Box::new(corrupt)),
        }
    }
}

impl Error {
    /// One wrong field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// The code that clients switch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "INVALID_JSON",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::PayloadTooLarge(_) => "PAYLOAD_TOO_LARGE",
            Self::Invalid(_) => "VALIDATION_FAILED",
            Self::Unauthenticated(why) => why.code(),
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::RateLimited(_) => "RATE_LIMITED",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// Whether the same request may succeed when sent again.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited(_) | Self::Unavailable(_))
    }
}
