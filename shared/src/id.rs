//! Opaque identifiers that sort by creation time, and the randomness they and the tokens are made of.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The longest identifier that is looked up at all.
const LONGEST: usize = 64;

/// Where random bits come from: the system's generator, or a seed that makes a run repeatable.
#[derive(Clone, Default)]
pub struct Entropy(Option<Arc<Mutex<StdRng>>>);

impl Entropy {
    /// A repeatable source for tests and replays.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Sixteen random bytes as a number.
    pub fn bits(&self) -> u128 {
        match &self.0 {
            Some(seeded) => seeded.lock().unwrap_or_else(PoisonError::into_inner).random(),
            None => rand::random(),
        }
    }

    /// A fresh identifier's text: time first, so that text order is time order.
    pub fn id(&self, now: Time) -> String {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        ulid::Ulid::from_parts(millis, self.bits()).to_string()
    }

    /// A secret of 256 bits in URL-safe text.
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

/// Whether text from outside may be an identifier at all: short, and letters, digits, `-` or `_`.
fn plausible(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new identifier that sorts by `now`.
            pub fn fresh(now: Time, entropy: &Entropy) -> Self {
                Self(entropy.id(now))
            }

            /// Text from outside; the message says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, String> {
                if plausible(text) { Ok(Self(text.to_owned())) } else { Err("is not an id".to_owned()) }
            }

            /// Text that this system wrote itself (a store's row, a verified token).
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The identifier's text.
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
    /// A user.
    UserId,
    /// A login: one device, one refresh-token chain.
    SessionId,
    /// A direct or group conversation; also the name of its room.
    ConversationId,
    /// A message.
    MessageId,
    /// A planned automatic message.
    AutoMessageId,
    /// A WebSocket connection, in API Gateway's own alphabet.
    ConnectionId,
}

#[cfg(test)]
mod tests {
    use super::{Entropy, UserId};
    use crate::time::Time;

    #[test]
    fn ids_sort_by_time_and_never_repeat() {
        let entropy = Entropy::seeded(1);
        let early = UserId::fresh(Time::from_millis(1_000), &entropy);
        let late = UserId::fresh(Time::from_millis(1_001), &entropy);
        assert!(early < late);
        assert_ne!(early, UserId::fresh(Time::from_millis(1_000), &entropy));
    }

    #[test]
    fn hostile_text_is_no_id() {
        for text in ["", "a b", "../x", "$gt", "a\0", &"a".repeat(65)] {
            assert!(UserId::parse(text).is_err(), "{text:?}");
        }
    }
}
