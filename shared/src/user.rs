//! Users: the stored form, the rules for usernames and e-mails, and what other users may see.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Time;
use crate::unicode::{fold_name, has_hidden_characters, normalize};

/// The fewest and the most characters of a username.
pub const USERNAME_LENGTH: RangeInclusive<usize> = 3..=30;

/// The most bytes of an e-mail address.
pub const LONGEST_EMAIL: usize = 254;

/// The most characters of a display name.
pub const LONGEST_DISPLAY_NAME: usize = 60;

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

/// A username: 3–30 characters of `[A-Za-z0-9_.-]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// Checks a text.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_valid = USERNAME_LENGTH.contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be 3 to 30 of the characters A-Z a-z 0-9 _ . -".to_owned())
        }
    }

    /// Wraps stored text, without checking it.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded form, which is unique and used for look-ups.
    pub fn key(&self) -> String {
        fold_name(&self.0)
    }
}

/// An e-mail address. Only its form is checked, not whether the user owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Trims, normalises to NFKC and checks a text, in linear time.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || "must be an e-mail address such as ada@example.com".to_owned();
        let text = text.trim();
        // Normalising makes a text at most 18 times as long; longer ones are refused before it.
        if text.len() > 254 {
            return Err(invalid());
        }
        let text = normalize(text);
        let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
        let is_printable = |s: &str| !s.chars().any(char::is_whitespace) && !has_hidden_characters(s);
        let is_label = |s: &str| {
            !s.is_empty()
                && s.len() <= 63
                && !s.starts_with('-')
                && !s.ends_with('-')
                && s.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let is_valid = text.len() <= LONGEST_EMAIL
            && (1..=64).contains(&local.len())
            && !local.contains('@')
            && is_printable(local)
            && domain.contains('.')
            && domain.split('.').all(is_label);
        if is_valid { Ok(Self(text)) } else { Err(invalid()) }
    }

    /// Wraps stored text, without checking it.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded form, which is unique and used for look-ups.
    pub fn key(&self) -> String {
        fold_name(&self.0)
    }
}

/// The name that a user logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A folded e-mail ([`Email::key`]).
    Email(String),
    /// A folded username ([`Username::key`]).
    Username(String),
}

/// Parses a display name: 1–60 characters after trimming, in NFKC, without invisible characters, and not that of a
/// deleted user.
///
/// # Errors
/// The message for the field's error.
pub fn parse_display_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let name = normalize(&text.chars().take(LONGEST_DISPLAY_NAME + 1).collect::<String>());
    let lengths = [text.chars().count(), name.chars().count()];
    if lengths.iter().any(|length| !(1..=LONGEST_DISPLAY_NAME).contains(length))
        || has_hidden_characters(&name)
    {
        return Err(format!("must be 1 to {LONGEST_DISPLAY_NAME} characters without invisible ones"));
    }
    if fold_name(&name) == fold_name(DELETED_NAME) {
        return Err("must be another name".to_owned());
    }
    Ok(name)
}

/// The display name of every deleted user.
const DELETED_NAME: &str = "Deleted user";

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

#[cfg(test)]
mod tests {
    use super::{Email, Username, parse_display_name};

    #[test]
    fn username_is_accepted_with_3_to_30_allowed_characters_only() {
        for valid in ["ada", "Ada_L.-9", &"a".repeat(30)] {
            assert!(Username::parse(valid).is_ok(), "{valid}");
        }
        for invalid in ["ad", "a d a", "adaş", "", &"a".repeat(31), "ada\n"] {
            assert!(Username::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn email_is_accepted_only_in_the_form_of_an_address() {
        for valid in ["ada@example.com", "Ada+x@sub.example.co", "öz@örnek.com.tr"] {
            assert!(Email::parse(valid).is_ok(), "{valid}");
        }
        let long = format!("{}@a.b", "a".repeat(100_000));
        let dots = format!("{}@", "a.".repeat(50_000));
        for invalid in ["", "a", "@a.b", "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b@c.d", &long, &dots] {
            assert!(Email::parse(invalid).is_err(), "{}", &invalid[..invalid.len().min(20)]);
        }
    }

    #[test]
    fn emails_that_differ_in_case_or_unicode_form_have_one_key() {
        let key = |text: &str| Email::parse(text).unwrap().key();
        for (a, b) in [
            ("Ada@Example.com", "ada@example.COM"),
            ("ａｄａ@example.com", "ada@example.com"),
            ("o\u{308}z@örnek.com", "ÖZ@ÖRNEK.com"),
            ("strasse@example.com", "STRAßE@example.com"),
        ] {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
        assert_ne!(key("ışık@example.com"), key("isik@example.com"));
    }

    #[test]
    fn names_with_invisible_characters_are_refused() {
        for text in ["a\u{200b}da", "ada\u{202e}", "\u{2066}ada", "ada\u{feff}x", "a\u{200d}da"] {
            assert!(Email::parse(&format!("{text}@example.com")).is_err(), "{text:?}");
            assert!(parse_display_name(text).is_err(), "{text:?}");
        }
        assert!(parse_display_name("deleted USER").is_err());
        assert_eq!(parse_display_name(" Ａda ❤\u{fe0f} "), Ok("Ada ❤\u{fe0f}".to_owned()));
    }
}
