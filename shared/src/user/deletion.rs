//! What is left of a user whose account was deleted.

use super::{Email, PasswordHash, User, Username};
use crate::id::UserId;
use crate::time::Time;

/// The display name of every deleted user.
pub(super) const DELETED_NAME: &str = "Deleted user";

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
