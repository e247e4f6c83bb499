//! Users: the words, what makes a username, an e-mail and a password acceptable, and what others may see.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Time;

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// As the user wrote it; unique without regard to case.
    pub username: Username,
    /// As the user wrote it; unique without regard to case; shown to nobody else.
    pub email: Email,
    /// What others see as the name.
    pub display_name: String,
    /// argon2id in PHC form.
    pub password_hash: PasswordHash,
    /// When the user registered.
    pub created_at: Time,
    /// The last time anything of the user's was seen.
    pub last_seen_at: Time,
    /// Set when the account no longer takes part.
    pub deactivated_at: Option<Time>,
}

impl User {
    /// Moves `last_seen_at` on to the user's departure, where there is one: the store of the connections
    /// knows of it before the document does.
    pub fn apply_last_seen(&mut self, last_seen: &[(UserId, Time)]) {
        let mine = last_seen.iter().filter(|(id, _)| *id == self.id).map(|(_, at)| *at);
        self.last_seen_at = mine.fold(self.last_seen_at, Time::max);
    }
}

/// A profile's change; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// A new username.
    pub username: Option<Username>,
    /// A new e-mail.
    pub email: Option<Email>,
    /// A new display name.
    pub display_name: Option<String>,
    /// A new password's hash.
    pub password_hash: Option<PasswordHash>,
}

/// A password's hash. Its text never shows in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// 3–30 of `[A-Za-z0-9_.-]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// Parses; the message says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = (3..=30).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be 3 to 30 of the characters A-Z a-z 0-9 _ . -".to_owned())
        }
    }

    /// As a store gave it back.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What uniqueness and look-ups go by.
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }
}

/// An e-mail address, checked for shape only: who owns it is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Parses in linear time; the message says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || "must be an e-mail address such as ada@example.com".to_owned();
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let printable = |s: &str| !s.chars().any(|c| c.is_whitespace() || c.is_control());
        let label = |s: &str| {
            !s.is_empty()
                && s.len() <= 63
                && !s.starts_with('-')
                && !s.ends_with('-')
                && s.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let fits = text.len() <= 254
            && (1..=64).contains(&local.len())
            && !local.contains('@')
            && printable(local)
            && domain.contains('.')
            && domain.split('.').all(label);
        if fits { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    /// As a store gave it back.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What uniqueness and look-ups go by.
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }
}

/// Without regard to case. Each character for itself: the last sigma of a word is written differently.
pub fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// What somebody logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A folded e-mail ([`Email::key`]).
    Email(String),
    /// A folded username ([`Username::key`]).
    Username(String),
}

/// 1–60 characters after trimming, no control characters.
pub fn parse_display_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 60 characters without control characters".to_owned())
    }
}

/// A user as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicUser {
    /// Who.
    pub id: UserId,
    /// As the user wrote it.
    pub username: Username,
    /// What to show.
    pub display_name: String,
    /// Since when.
    pub created_at: Time,
    /// Last seen.
    pub last_seen_at: Time,
}

/// A user as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnUser {
    /// What everybody sees.
    #[serde(flatten)]
    pub public: PublicUser,
    /// For the owner alone.
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

#[cfg(test)]
mod tests {
    use super::{Email, Username};

    #[test]
    fn usernames() {
        for good in ["ada", "Ada_L.-9", &"a".repeat(30)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for bad in ["ad", "a d a", "adaş", "", &"a".repeat(31), "ada\n"] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn emails_and_hostile_emails() {
        for good in ["ada@example.com", "Ada+x@sub.example.co", "öz@örnek.com.tr"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@a.b", "a".repeat(100_000));
        let dots = format!("{}@", "a.".repeat(50_000));
        for bad in ["", "a", "@a.b", "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b@c.d", &long, &dots] {
            assert!(Email::parse(bad).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
    }
}
