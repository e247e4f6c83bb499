//! A document of `users`.

use mongodb::bson::DateTime;
use serde::{Deserialize, Serialize};
use shared::id::UserId;
use shared::search::vocabulary;
use shared::user::{Email, PasswordHash, User, Username};

use super::{date, time};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserRow {
    #[serde(rename = "_id")]
    id: UserId,
    username: String,
    /// The folded username: unique, and the order of the user list.
    pub(crate) username_key: String,
    email: String,
    email_key: String,
    display_name: String,
    /// The display name's folded words, for the list's search.
    name_words: Vec<String>,
    password_hash: String,
    created_at: DateTime,
    last_seen_at: DateTime,
    deactivated_at: Option<DateTime>,
    /// Whether `deactivatedAt` is null. A field of its own, because an index on a null value covers no query.
    active: bool,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.as_str().to_owned(),
            username_key: user.username.key(),
            email: user.email.as_str().to_owned(),
            email_key: user.email.key(),
            display_name: user.display_name.clone(),
            name_words: vocabulary(&user.display_name),
            password_hash: user.password_hash.0.clone(),
            created_at: date(user.created_at),
            last_seen_at: date(user.last_seen_at),
            deactivated_at: user.deactivated_at.map(date),
            active: user.deactivated_at.is_none(),
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            username: Username::trusted(row.username),
            email: Email::trusted(row.email),
            display_name: row.display_name,
            password_hash: PasswordHash(row.password_hash),
            created_at: time(row.created_at),
            last_seen_at: time(row.last_seen_at),
            deactivated_at: row.deactivated_at.map(time),
        }
    }
}
