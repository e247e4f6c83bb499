//! Users: the stored form, and what other users may see.

mod names;

use serde::Serialize;

use crate::id::UserId;
use crate::time::Time;

use self::names::DELETED_NAME;
pub use self::names::{
    Email, LONGEST_DISPLAY_NAME, LONGEST_EMAIL, Login, USERNAME_LENGTH, Username, parse_display_name,
};

/// The most characters of a search for users, and of the cursor of a list of users.
pub const LONGEST_USER_SEARCH: usize = 100;

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Unique without regard to case.
    pub username: Username,
    /// Unique without regard to case; only its owner sees it.
    pub email: Email,
    pub display_name: String,
    pub password_hash: PasswordHash,
    pub created_at: Time,
    /// The last login, refresh or disconnect.
    pub last_seen_at: Time,
    /// A deactivated user cannot log in, is not listed and gets no automatic messages.
    pub deactivated_at: Option<Time>,
}

impl User {
    /// Moves `last_seen_at` forward to the user's time in `last_seen`, if there is one. The connection store knows
    /// of a disconnect up to a minute before the user's document.
    pub fn apply_last_seen(&mut self, last_seen: &[(UserId, Time)]) {
        let own = last_seen.iter().filter(|(id, _)| *id == self.id).map(|(_, at)| *at);
        self.last_seen_at = own.fold(self.last_seen_at, Time::max);
    }
}

/// A change of a user; fields that are `None` stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    pub username: Option<Username>,
    pub email: Option<Email>,
    pub display_name: Option<String>,
    pub password_hash: Option<PasswordHash>,
}

/// An argon2id hash in PHC format. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl User {
    /// The user after the deletion of the account: the names are free, no password matches, and the messages stay under
    /// a name that says so. Neither the username nor the e-mail has a form that [`Username::parse`] or [`Email::parse`]
    /// accepts, so no registration can take them before.
    #[must_use]
    pub fn deleted(&self, now: Time) -> Self {
        Self {
            username: Self::deleted_username(&self.id),
            email: Email::trusted(format!("deleted {}", self.id)),
            display_name: DELETED_NAME.to_owned(),
            password_hash: PasswordHash(String::new()),
            deactivated_at: Some(now),
            ..self.clone()
        }
    }

    /// Whether the account was deleted.
    pub fn is_deleted(&self) -> bool {
        self.username == Self::deleted_username(&self.id)
    }

    /// It is longer than any username that is accepted.
    fn deleted_username(id: &UserId) -> Username {
        Username::trusted(format!("deleted-user-{id}"))
    }
}

/// A user as other users see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PublicUser {
    pub id: UserId,
    pub username: Username,
    pub display_name: String,
    pub created_at: Time,
    pub last_seen_at: Time,
}

/// A user as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnUser {
    #[serde(flatten)]
    pub public: PublicUser,
    pub email: String,
}

impl From<&User> for PublicUser {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
        }
    }
}

impl From<&User> for OwnUser {
    fn from(user: &User) -> Self {
        Self { public: user.into(), email: user.email.as_str().to_owned() }
    }
}
