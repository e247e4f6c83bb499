//! What rules, handlers and ports may fail with. No HTTP status and no AMQP term appears here: each entry point
//! maps every error in one place.

use std::error::Error as StdError;

use serde::Serialize;

/// What a rule or a handler may fail with. Clients see the text and [`Error::code`], never the cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the body is not valid JSON")]
    InvalidJson,
    #[error("the body must have the content type application/json")]
    UnsupportedMediaType,
    /// The request's body or the answer's frame is too large; says which limit applies.
    #[error("{0}")]
    PayloadTooLarge(&'static str),
    /// The request is well-formed, but some fields are invalid: all of them, not only the first.
    #[error("some fields are invalid; the details name each of them")]
    Invalid(Vec<FieldError>),
    /// The caller is not authenticated.
    #[error("{0}")]
    Unauthenticated(Unauthenticated),
    /// The caller may know of the resource, but not do this to it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The resource does not exist, or the caller may not know of it. Names the resource.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The request contradicts what is stored, such as a taken username.
    #[error("{0}")]
    Conflict(String),
    #[error("too many requests; try again in {} s", .0.retry_after_secs)]
    RateLimited(RateLimited),
    /// A store is down.
    #[error("the service is temporarily unavailable; send the same request again")]
    Unavailable(#[source] StoreFailure),
    /// A fault of the server. The cause is for the log alone.
    #[error("the server failed to handle the request; please report it")]
    Internal(#[source] Cause),
}

/// The cause of an error; for the log alone.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// One invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The field's name as the client sent it.
    pub field: String,
    /// For people: what is wrong with the field.
    pub message: String,
}

/// Why a caller is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no access token, or one that this system did not sign.
    #[error("a valid access token is required")]
    NoToken,
    #[error("the access token has expired; refresh it")]
    Expired,
    /// The token's session was ended or has expired.
    #[error("the session has ended; log in again")]
    Revoked,
    /// The user is unknown or the password is wrong; the answer does not say which.
    #[error("e-mail, username or password is wrong")]
    Credentials,
}

impl Unauthenticated {
    /// The code by which programs tell the reasons apart.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoToken => "UNAUTHENTICATED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "TOKEN_REVOKED",
            Self::Credentials => "INVALID_CREDENTIALS",
        }
    }

    /// The reason with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [Self::NoToken, Self::Expired, Self::Revoked, Self::Credentials];
        all.into_iter().find(|why| why.code() == code)
    }
}

/// A rate limit that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited {
    /// How many are allowed in each window.
    pub limit: u32,
    /// Seconds until the next window, rounded up; at least 1.
    pub retry_after_secs: u64,
}

/// A store that did not answer, or not in time.
#[derive(Debug, thiserror::Error)]
#[error("{store} is unavailable")]
pub struct StoreFailure {
    /// The store's name, as the health report shows it.
    pub store: &'static str,
    /// The driver's error.
    #[source]
    pub cause: Cause,
}

/// What a port may fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another row has this unique value; names the field.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The store did not answer, or not in time.
    #[error(transparent)]
    Down(#[from] StoreFailure),
    /// A stored value cannot be read, or the store rejected a value for good; names the store.
    #[error("invalid data in {0}")]
    Corrupt(&'static str, #[source] Cause),
}

impl StoreError {
    /// [`Down`](Self::Down) with the driver's error as its cause.
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
    /// One invalid field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// The code by which programs tell errors apart.
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
