//! Which messages clients miss because a push to them failed.

use std::collections::{BTreeMap, HashMap};

use shared::id::{ConversationId, UserId};
use shared::ports::MISSED_FOR;
use shared::time::Time;

#[derive(Default)]
pub(super) struct MissedMessages {
    by_user: HashMap<UserId, Missed>,
}

struct Missed {
    until: Time,
    /// The lowest `seq` of each conversation.
    seqs: BTreeMap<ConversationId, u64>,
}

impl MissedMessages {
    pub(super) fn note(&mut self, user: &UserId, conversation: &ConversationId, seq: u64, now: Time) {
        self.by_user.retain(|_, missed| missed.until > now);
        let until = now + MISSED_FOR;
        let missed =
            self.by_user.entry(user.clone()).or_insert_with(|| Missed { until, seqs: BTreeMap::new() });
        missed.until = missed.until.max(until);
        let lowest = missed.seqs.entry(conversation.clone()).or_insert(seq);
        *lowest = seq.min(*lowest);
    }

    pub(super) fn of(&self, user: &UserId, now: Time) -> Vec<(ConversationId, u64)> {
        let missed = self.by_user.get(user).filter(|missed| missed.until > now);
        missed.into_iter().flat_map(|missed| missed.seqs.clone()).collect()
    }
}
