//! Identifiers that sort by creation time, and the source of random bits for them and for tokens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The longest identifier that is accepted from clients, in bytes.
pub const LONGEST_ID: usize = 64;

/// A source of random bits: the system's generator, or a seeded one that makes a run repeatable.
#[derive(Clone, Default)]
pub struct Entropy(Option<Arc<Mutex<StdRng>>>);

impl Entropy {
    /// A source that returns the same bits for the same seed; for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// 128 random bits.
    pub fn bits(&self) -> u128 {
        match &self.0 {
            Some(seeded) => seeded.lock().unwrap_or_else(PoisonError::into_inner).random(),
            None => rand::random(),
        }
    }

    /// The text of a new identifier (a ULID). It begins with the time, so sorting by text sorts by time.
    pub fn id(&self, now: Time) -> String {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        ulid::Ulid::from_parts(millis, self.bits()).to_string()
    }

    /// A secret of 256 random bits as URL-safe text.
    pub fn secret(&self) -> String {
        use base64::Engine as _;
        let bytes = [self.bits().to_be_bytes(), self.bits().to_be_bytes()].concat();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Entropy(seeded)" } else { "Entropy(system)" })
    }
}

/// Whether text has the form of an identifier: 1 to 64 letters, digits, `-` or `_`.
fn is_well_formed(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_ID
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new identifier that sorts by its creation time `now`.
            pub fn fresh(now: Time, entropy: &Entropy) -> Self {
                Self(entropy.id(now))
            }

            /// Parses text from a client.
            ///
            /// # Errors
            /// The message for the field's error.
            pub fn parse(text: &str) -> Result<Self, String> {
                if is_well_formed(text) { Ok(Self(text.to_owned())) } else { Err("is not a valid id".to_owned()) }
            }

            /// Wraps text that this system wrote itself (a stored row, a verified token), without checking it.
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    UserId,
    /// One login on one device.
    SessionId,
    /// Also the name of the conversation's room.
    ConversationId,
    MessageId,
    AutoMessageId,
    /// API Gateway's id of a WebSocket connection. It may contain `=`, which [`parse`](Self::parse) rejects.
    ConnectionId,
}

#[cfg(test)]
mod tests {
    use super::{Entropy, UserId};
    use crate::time::Time;

    #[test]
    fn ids_sort_by_time_and_differ_within_one_millisecond() {
        let entropy = Entropy::seeded(1);
        let early = UserId::fresh(Time::from_millis(1_000), &entropy);
        let late = UserId::fresh(Time::from_millis(1_001), &entropy);
        assert!(early < late);
        assert_ne!(early, UserId::fresh(Time::from_millis(1_000), &entropy));
    }

    #[test]
    fn parse_rejects_text_that_is_no_id() {
        for text in ["", "a b", "../x", "$gt", "a\0", &"a".repeat(65)] {
            assert!(UserId::parse(text).is_err(), "{text:?}");
        }
    }
}
