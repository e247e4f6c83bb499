//! Passwords: argon2id (19 MiB, 2 passes, 1 lane), a limited number at once and off the async threads.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::password_policy::{Password, PasswordPolicy};
use crate::error::Error;
use crate::id::Entropy;
use crate::user::PasswordHash;

/// Hashes and compares passwords. A hash occupies a core and 19 MiB for some milliseconds, so only a limited number
/// runs at once; the others wait.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Compared against for an unknown user, so that both answers take the same time.
    dummy_hash: Arc<str>,
    /// The rules for new passwords.
    pub policy: PasswordPolicy,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(…)")
    }
}

impl Passwords {
    /// A hasher with the default policy that runs up to `at_once` hashes at a time.
    pub fn new(at_once: usize) -> Self {
        let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // The same parameters, with a hash of zeros that no password has.
        let dummy_hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Self {
            argon2,
            permits: Arc::new(Semaphore::new(at_once.max(1))),
            dummy_hash: dummy_hash.into(),
            policy: PasswordPolicy::default(),
        }
    }

    /// A hasher that uses half of the machine's cores.
    pub fn for_this_machine(policy: PasswordPolicy) -> Self {
        Self { policy, ..Self::new(std::thread::available_parallelism().map_or(1, |n| n.get() / 2)) }
    }

    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// `Internal` if the hash cannot be computed.
    pub async fn hash(&self, password: Password, entropy: &Entropy) -> Result<PasswordHash, Error> {
        let salt = entropy.bits().to_be_bytes();
        let argon2 = self.argon2.clone();
        let hash: Result<phc::PasswordHash, _> = self
            .run_limited(move || argon2.hash_password_with_salt(password.reveal().as_bytes(), &salt))
            .await?;
        hash.map(|h| PasswordHash(h.to_string())).map_err(|e| Error::Internal(e.to_string().into()))
    }

    /// Whether the password matches the hash. `None`, for an unknown user, takes equally long and is `false`.
    ///
    /// # Errors
    /// `Internal` if the comparison cannot be run.
    pub async fn matches(&self, password: Password, hash: Option<&PasswordHash>) -> Result<bool, Error> {
        let is_known = hash.is_some();
        let text = hash.map_or_else(|| self.dummy_hash.to_string(), |h| h.0.clone());
        let argon2 = self.argon2.clone();
        let is_match = self
            .run_limited(move || {
                phc::PasswordHash::new(&text)
                    .is_ok_and(|h| argon2.verify_password(password.reveal().as_bytes(), &h).is_ok())
            })
            .await?;
        Ok(is_match && is_known)
    }

    async fn run_limited<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|e| Error::Internal(Box::new(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Password, Passwords};
    use crate::id::Entropy;

    #[tokio::test]
    async fn password_matches_only_its_own_hash_and_never_an_unknown_user() {
        let passwords = Passwords::new(2);
        let password = |text: &str| Password::for_comparison(text).unwrap();
        let hash = passwords.hash(password("correct horse"), &Entropy::seeded(1)).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.matches(password("correct horse"), Some(&hash)).await.unwrap());
        assert!(!passwords.matches(password("wrong horse"), Some(&hash)).await.unwrap());
        assert!(!passwords.matches(password("correct horse"), None).await.unwrap());
    }
}
