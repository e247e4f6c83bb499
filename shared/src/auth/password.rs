//! Passwords: argon2id (19 MiB, 2 passes, 1 lane), a limited number at once, off the async threads, and in memory
//! that is used again.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
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
    /// Memory of hashes that are finished, at most one piece per permit. Allocating 19 MiB for every hash is slow,
    /// and the allocator keeps several pieces per thread.
    memory: Arc<Mutex<Vec<Memory>>>,
    /// Compared against for an unknown user, so that both answers take the same time.
    dummy_hash: Arc<str>,
    /// The rules for new passwords.
    pub policy: PasswordPolicy,
}

/// The working memory of one hash.
type Memory = Vec<Block>;

/// The length of a hash in bytes.
const OUTPUT: usize = 32;

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
            memory: Arc::default(),
            dummy_hash: dummy_hash.into(),
            policy: PasswordPolicy::default(),
        }
    }

    /// A hasher that uses half of the machine's cores.
    pub fn for_this_machine(policy: PasswordPolicy) -> Self {
        Self { policy, ..Self::new(std::thread::available_parallelism().map_or(1, |n| n.get() / 2)) }
    }

    /// The same hasher, with the same permits and memory, for another policy.
    #[must_use]
    pub fn with_policy(&self, policy: PasswordPolicy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// `Internal` if the hash cannot be computed.
    pub async fn hash(&self, password: Password, entropy: &Entropy) -> Result<PasswordHash, Error> {
        let salt = entropy.bits().to_be_bytes();
        let argon2 = self.argon2.clone();
        let output = self.run_limited(move |memory| output(&argon2, &password, &salt, memory)).await?;
        let output = output.map_err(|e| Error::Internal(e.to_string().into()))?;
        let params = self.argon2.params();
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
        // The PHC string format of argon2.
        Ok(PasswordHash(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${output}")))
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
            .run_limited(move |memory| {
                phc::PasswordHash::new(&text).is_ok_and(|hash| verify(&argon2, &password, &hash, memory))
            })
            .await?;
        Ok(is_match && is_known)
    }

    async fn run_limited<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let (pool, blocks) = (Arc::clone(&self.memory), self.argon2.params().block_count());
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let idle = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = idle.unwrap_or_else(|| vec![Block::default(); blocks]);
            let result = work(&mut memory);
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            result
        });
        task.await.map_err(|e| Error::Internal(Box::new(e)))
    }
}

fn output(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    memory: &mut Memory,
) -> argon2::Result<[u8; OUTPUT]> {
    let mut output = [0; OUTPUT];
    argon2.hash_password_into_with_memory(password.reveal().as_bytes(), salt, &mut output, memory)?;
    Ok(output)
}

/// Compares in constant time. A hash with other parameters than ours is computed in memory of its own.
fn verify(argon2: &Argon2<'_>, password: &Password, hash: &phc::PasswordHash, memory: &mut Memory) -> bool {
    let has_our_params = hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash).is_ok_and(|params| {
            let ours = argon2.params();
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (ours.m_cost(), ours.t_cost(), ours.p_cost())
        });
    match (&hash.salt, &hash.hash) {
        (Some(salt), Some(expected)) if has_our_params && expected.len() == OUTPUT => {
            let output = output(argon2, password, salt.as_ref(), memory);
            output.is_ok_and(|output| phc::Output::new(&output).is_ok_and(|output| output == *expected))
        }
        _ => argon2.verify_password(password.reveal().as_bytes(), hash).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher as _, phc};
    use argon2::{Algorithm, Argon2, Params, Version};

    use super::{Password, Passwords};
    use crate::id::Entropy;
    use crate::user::PasswordHash;

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

    /// Hashes of the argon2 crate itself, one with our parameters and one with others.
    #[tokio::test]
    async fn hashes_of_other_programs_and_other_parameters_are_verified() {
        let passwords = Passwords::new(1);
        for params in [passwords.argon2.params().clone(), Params::new(64, 1, 1, None).unwrap()] {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash: phc::PasswordHash =
                argon2.hash_password_with_salt(b"correct horse", b"sixteen bytes ok").unwrap();
            let hash = PasswordHash(hash.to_string());
            let matches = async |text: &str| {
                passwords.matches(Password::for_comparison(text).unwrap(), Some(&hash)).await.unwrap()
            };
            assert!(matches("correct horse").await && !matches("wrong horse").await);
        }
    }

    #[tokio::test]
    async fn hashes_use_one_piece_of_memory_per_permit_again_and_again() {
        let passwords = Passwords::new(2);
        let entropy = Entropy::seeded(1);
        let hash = || passwords.hash(Password::for_comparison("correct horse").unwrap(), &entropy);
        let (first, second, third) = tokio::join!(hash(), hash(), hash());
        let hashes = [first.unwrap(), second.unwrap(), third.unwrap()];
        assert!(hashes.iter().all(|hash| hash.0.starts_with("$argon2id$")));
        assert!((1..=2).contains(&passwords.memory.lock().unwrap().len()));
        let address = passwords.memory.lock().unwrap().last().unwrap().as_ptr();
        hash().await.unwrap();
        assert_eq!(passwords.memory.lock().unwrap().last().unwrap().as_ptr(), address);
    }
}
