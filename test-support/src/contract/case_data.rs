//! Users, ids and times that belong to one case alone.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use shared::conversation::Conversation;
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::message::{Content, Draft, MessageKind};
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};

use super::Failure;

/// `now` of the first case, in 2096: later than any clock, because stores expire entries by their own clock.
const FIRST: i64 = 4_000_000_000_000;
/// How much earlier the `now` of the next case is, in milliseconds, so that "due at now" and "oldest first" never
/// find what an earlier case left in the store.
const STEP: i64 = 10 * 24 * 3_600 * 1_000;

static CASES: AtomicI64 = AtomicI64::new(0);

/// A source of test data for one case.
#[derive(Debug, Clone)]
pub struct CaseData {
    /// The case's present, at midnight UTC.
    pub now: Time,
    /// Twelve lower-case hexadecimal digits that no other case has.
    pub tag: String,
    entropy: Entropy,
}

impl CaseData {
    /// Data that no other case has.
    pub fn fresh() -> Self {
        let case = CASES.fetch_add(1, Ordering::Relaxed);
        let day = 24 * 3_600 * 1_000;
        let entropy = Entropy::default();
        let tag = format!("{:012x}", entropy.bits() & 0xffff_ffff_ffff);
        Self { now: Time::from_millis((FIRST - case * STEP) / day * day), tag, entropy }
    }

    /// `now` plus `secs` seconds.
    pub fn after(&self, secs: u64) -> Time {
        self.now + Duration::from_secs(secs)
    }

    /// `now` minus `secs` seconds.
    pub fn before(&self, secs: u64) -> Time {
        self.now - Duration::from_secs(secs)
    }

    /// A new id with the time `now`.
    pub fn id(&self) -> String {
        self.entropy.id(self.now)
    }

    pub fn user_id(&self) -> UserId {
        UserId::trusted(self.id())
    }

    /// Two new user ids, sorted.
    pub fn pair(&self) -> (UserId, UserId) {
        let (a, b) = (self.user_id(), self.user_id());
        if a < b { (a, b) } else { (b, a) }
    }

    /// A user whose username ends in `name`.
    pub fn user(&self, name: &str, display_name: &str) -> User {
        User {
            id: self.user_id(),
            username: Username::trusted(format!("{}{name}", self.tag)),
            email: Email::trusted(format!("{name}@{}.example.com", self.tag)),
            display_name: display_name.to_owned(),
            password_hash: PasswordHash(format!("$argon2id${}", self.tag)),
            created_at: self.before(60),
            last_seen_at: self.now,
            deactivated_at: None,
        }
    }

    /// A direct conversation that is not stored.
    pub fn direct(&self, a: &UserId, b: &UserId) -> Conversation {
        Conversation::direct(ConversationId::trusted(self.id()), a, b, self.now)
    }

    /// A group that is not stored.
    pub fn group(&self, name: &str, members: &[UserId]) -> Conversation {
        let kind = shared::conversation::ConversationKind::Group;
        let id = ConversationId::trusted(self.id());
        Conversation::of(id, kind, Some(name.to_owned()), members.to_vec(), self.now)
    }

    /// A draft with the time `now` plus 60 seconds.
    pub fn draft(&self, conversation: &Conversation, sender: &UserId, text: &str) -> Result<Draft, Failure> {
        self.draft_at(conversation, sender, text, self.after(60))
    }

    /// A draft with the time `at`, which its id sorts by.
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
