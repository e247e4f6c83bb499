//! A case's own people, ids and times, met by no other case.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::conversation::Conversation;
use crate::id::{ConversationId, Entropy, MessageId, UserId};
use crate::message::{Content, Draft, MessageKind};
use crate::time::Time;
use crate::user::{Email, PasswordHash, User, Username};

use super::Failure;

/// The first case's now, in 2096: later than any clock, for stores that expire by theirs.
const FIRST: i64 = 4_000_000_000_000;
/// Each case lives so much before the one that ran before it, so that "due at now" and "oldest first" never
/// reach what an earlier case left behind.
const ERA: i64 = 10 * 24 * 3_600 * 1_000;

static ERAS: AtomicI64 = AtomicI64::new(0);

/// A case's world.
#[derive(Debug, Clone)]
pub struct World {
    /// Its present, on a whole day.
    pub now: Time,
    /// Twelve letters and digits, lower case, that nobody else has.
    pub tag: String,
    entropy: Entropy,
}

impl World {
    /// One that nobody has seen yet.
    pub fn fresh() -> Self {
        let era = ERAS.fetch_add(1, Ordering::Relaxed);
        let day = 24 * 3_600 * 1_000;
        let entropy = Entropy::default();
        let tag = format!("{:012x}", entropy.bits() & 0xffff_ffff_ffff);
        Self { now: Time::from_millis((FIRST - era * ERA) / day * day), tag, entropy }
    }

    /// So many seconds after now.
    pub fn after(&self, secs: u64) -> Time {
        self.now + Duration::from_secs(secs)
    }

    /// So many seconds before now.
    pub fn before(&self, secs: u64) -> Time {
        self.now - Duration::from_secs(secs)
    }

    /// A new id's text, of now.
    pub fn id(&self) -> String {
        self.entropy.id(self.now)
    }

    /// A new user's id.
    pub fn user_id(&self) -> UserId {
        UserId::trusted(self.id())
    }

    /// Two, sorted.
    pub fn pair(&self) -> (UserId, UserId) {
        let (a, b) = (self.user_id(), self.user_id());
        if a < b { (a, b) } else { (b, a) }
    }

    /// A user whose name ends in `name`, shown as `shown`.
    pub fn user(&self, name: &str, shown: &str) -> User {
        User {
            id: self.user_id(),
            username: Username::trusted(format!("{}{name}", self.tag)),
            email: Email::trusted(format!("{name}@{}.example.com", self.tag)),
            display_name: shown.to_owned(),
            password_hash: PasswordHash(format!("$argon2id${}", self.tag)),
            created_at: self.before(60),
            last_seen_at: self.now,
            deactivated_at: None,
        }
    }

    /// A direct conversation that was not stored yet.
    pub fn direct(&self, a: &UserId, b: &UserId) -> Conversation {
        Conversation::direct(ConversationId::trusted(self.id()), a, b, self.now)
    }

    /// A group that was not stored yet.
    pub fn group(&self, name: &str, members: &[UserId]) -> Conversation {
        let kind = crate::conversation::ConversationKind::Group;
        let id = ConversationId::trusted(self.id());
        Conversation::of(id, kind, Some(name.to_owned()), members.to_vec(), self.now)
    }

    /// Something to write, a minute from now.
    pub fn draft(&self, conversation: &Conversation, sender: &UserId, text: &str) -> Result<Draft, Failure> {
        self.draft_at(conversation, sender, text, self.after(60))
    }

    /// Something to write at a time, which its id sorts by.
    pub fn draft_at(
        &self,
        conversation: &Conversation,
        sender: &UserId,
        text: &str,
        at: Time,
    ) -> Result<Draft, Failure> {
        Ok(Draft {
            id: MessageId::fresh(at, &self.entropy),
            conversation_id: conversation.id.clone(),
            sender_id: sender.clone(),
            content: Content::parse(text).map_err(Failure)?,
            kind: MessageKind::Text,
            client_message_id: None,
            auto_message_id: None,
            created_at: at,
        })
    }
}
