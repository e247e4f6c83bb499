//! Passwords as clients send them, and which may be chosen.

use std::fmt;
use std::ops::RangeInclusive;

use crate::config::Env;
use crate::unicode::fold_name;

/// The 10,000 most common passwords, in lower case, one per line. `common_passwords/LICENSE` says where they are from.
const COMMON: &str = include_str!("common_passwords/list.txt");

/// The fewest characters of a password, unless configured otherwise, and the most.
pub const PASSWORD_LENGTH: RangeInclusive<usize> = 8..=LONGEST;

/// The most characters of a password.
const LONGEST: usize = 128;

/// A password that a client sent. It is never stored or logged.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A password to compare with a hash. It is not checked: [`PasswordPolicy`] checks new ones, and a
    /// text that it rejects matches no hash. Never fails; the `Result` makes it a parser for [`crate::form::text`].
    pub fn for_comparison(text: &str) -> Result<Self, String> {
        Ok(Self(text.chars().take(129).collect()))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The rules for a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The least characters.
    pub min_length: usize,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: *PASSWORD_LENGTH.start() }
    }
}

impl PasswordPolicy {
    /// From `PASSWORD_MIN_LENGTH` (default 8, at most 128).
    pub fn from_env(env: &mut Env) -> Self {
        let min_length = env.parsed("PASSWORD_MIN_LENGTH", Self::default().min_length);
        if !(1..=LONGEST).contains(&min_length) {
            env.problem(format!("PASSWORD_MIN_LENGTH must be 1 to {LONGEST}, not {min_length}"));
        }
        Self { min_length }
    }

    /// Checks the length, and that the password is not one of the 10,000 most common ones, in whatever case.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn parse(&self, text: &str) -> Result<Password, String> {
        if !(self.min_length..=LONGEST).contains(&text.chars().take(LONGEST + 1).count()) {
            return Err(format!("must be {} to {LONGEST} characters", self.min_length));
        }
        let lower = text.to_lowercase();
        if COMMON.lines().any(|common| common == lower) {
            return Err("is one of the most common passwords; choose another one".to_owned());
        }
        Password::for_comparison(text)
    }

    /// Checks that the password is not a name of its owner, in whatever case. `keys` are folded.
    ///
    /// # Errors
    /// The message for the field's error.
    pub fn refuse_names(&self, password: &Password, keys: &[String]) -> Result<(), String> {
        let folded = fold_name(password.reveal());
        if keys.contains(&folded) { Err("must not be your username or e-mail".to_owned()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMON, PasswordPolicy};
    use crate::config::Env;

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON.lines().count(), 10_000);
        let policy = PasswordPolicy::default();
        for common in ["12345678", "PassWord", "password1", "QWERTYUIOP", "iloveyou"] {
            assert!(policy.parse(common).unwrap_err().contains("common"), "{common}");
        }
        for accepted in ["correct horse battery", "8 horses", "şifreşifre", "password 1 "] {
            assert!(policy.parse(accepted).is_ok(), "{accepted}");
        }
    }

    #[test]
    fn names_of_the_owner_are_refused_as_passwords() {
        let policy = PasswordPolicy::default();
        let keys = ["ada.lovelace".to_owned(), "ada@example.com".to_owned()];
        for (text, accepted) in [("Ada.Lovelace", false), ("ADA@example.com", false), ("ada.lovelace1", true)]
        {
            let password = policy.parse(text).unwrap();
            assert_eq!(policy.refuse_names(&password, &keys).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn least_length_is_configurable() {
        for (value, text, accepted) in
            [("", "8 horses", true), ("12", "8 horses", false), ("12", "twelve horses", true)]
        {
            let mut env = Env::of([("PASSWORD_MIN_LENGTH".to_owned(), value.to_owned())]);
            assert_eq!(PasswordPolicy::from_env(&mut env).parse(text).is_ok(), accepted, "{value} {text}");
            env.finish().unwrap();
        }
        for invalid in ["0", "129", "long"] {
            let mut env = Env::of([("PASSWORD_MIN_LENGTH".to_owned(), invalid.to_owned())]);
            PasswordPolicy::from_env(&mut env);
            assert!(env.finish().is_err(), "{invalid}");
        }
    }
}
