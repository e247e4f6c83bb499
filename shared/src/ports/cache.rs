//! A cache of conversations' members. Any entry may be lost at any time.

use async_trait::async_trait;

use crate::conversation::Members;
use crate::id::ConversationId;
use crate::ports::StoreResult;

/// Caches conversations' members. They never change, so an entry is never stale. Callers treat an error as a miss.
#[async_trait]
pub trait MemberCache: Send + Sync {
    /// The cached members, complete, or `None` if the entry does not exist or was dropped.
    async fn get(&self, id: &ConversationId) -> StoreResult<Option<Members>>;
    /// Caches the members for as long as the adapter likes, or not at all, but never a part of them. A repeat
    /// overwrites the entry with the same members.
    async fn put(&self, members: &Members) -> StoreResult<()>;
}
