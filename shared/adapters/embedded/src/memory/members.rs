//! `MemberCache`: conversations' members in bounded memory.

use std::collections::HashMap;

use async_trait::async_trait;
use shared::conversation::Members;
use shared::id::{ConversationId, UserId};
use shared::ports::{MemberCache, StoreResult};

use crate::Embedded;

/// How many members all cached conversations may have together; about 10 MB.
const MAX_MEMBERS: usize = 100_000;

#[derive(Default)]
pub(super) struct CachedMembers {
    by_conversation: HashMap<ConversationId, Vec<UserId>>,
    /// The number of members of all entries together.
    total: usize,
}

#[async_trait]
impl MemberCache for Embedded {
    async fn get(&self, id: &ConversationId) -> StoreResult<Option<Members>> {
        let user_ids = self.memory.members().by_conversation.get(id).cloned();
        Ok(user_ids.map(|user_ids| Members { conversation_id: id.clone(), user_ids }))
    }

    async fn put(&self, members: &Members) -> StoreResult<()> {
        self.memory.members().put(members);
        Ok(())
    }
}

impl CachedMembers {
    /// Empties a full cache; active conversations are cached again with their next read from the documents.
    fn put(&mut self, members: &Members) {
        if self.total + members.user_ids.len() > MAX_MEMBERS {
            *self = Self::default();
        }
        let id = members.conversation_id.clone();
        let before = self.by_conversation.insert(id, members.user_ids.clone());
        self.total += members.user_ids.len();
        self.total -= before.map_or(0, |user_ids| user_ids.len());
    }
}

#[cfg(test)]
mod tests {
    use shared::conversation::Members;
    use shared::id::{ConversationId, UserId};

    use super::{CachedMembers, MAX_MEMBERS};

    #[test]
    fn member_cache_is_emptied_when_it_would_exceed_its_limit() {
        let mut cache = CachedMembers::default();
        for n in 0..2 * MAX_MEMBERS / 256 + 2 {
            let conversation_id = ConversationId::trusted(format!("c{}", n / 2));
            cache.put(&Members { conversation_id, user_ids: vec![UserId::trusted("u"); 256] });
            let held: usize = cache.by_conversation.values().map(Vec::len).sum();
            assert_eq!(held, cache.total);
            assert!(held <= MAX_MEMBERS, "{held}");
        }
        assert!(cache.by_conversation.len() < MAX_MEMBERS / 256, "the full cache was emptied");
    }
}
