//! A cache of conversations' members. Any entry may be lost at any time.

use async_trait::async_trait;

use crate::conversation::Members;
use crate::id::ConversationId;
use crate::ports::StoreResult;

/// Caches conversations' members. They never change, so an entry is never stale.
#[async_trait]
pub trait MemberCache: Send + Sync {
    /// The cached members, if the entry still exists.
    async fn get(&self, id: &ConversationId) -> StoreResult<Option<Members>>;
    /// Caches the members for as long as the adapter likes, or not at all.
    async fn put(&self, members: &Members) -> StoreResult<()>;
}
