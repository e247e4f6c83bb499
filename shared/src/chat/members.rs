//! Looks up a conversation's members: in the cache first, then in the documents.

use crate::conversation::Members;
use crate::error::Error;
use crate::id::{ConversationId, UserId};
use crate::ports::{Conversations, MemberCache};

/// Finds a conversation's members.
#[derive(Clone, Copy)]
pub struct MemberLookup<'a> {
    pub conversations: &'a dyn Conversations,
    pub cache: &'a dyn MemberCache,
}

impl<'a> MemberLookup<'a> {
    /// One store of documents and one cache.
    pub fn over(conversations: &'a dyn Conversations, cache: &'a dyn MemberCache) -> Self {
        Self { conversations, cache }
    }

    /// The members of a conversation, if `caller` is one of them. A cache that fails is no error: the
    /// documents are read instead.
    ///
    /// # Errors
    /// `NotFound` for every other caller; `Unavailable`.
    pub async fn get(&self, id: &ConversationId, caller: &UserId) -> Result<Members, Error> {
        if let Some(members) = self.cached(id).await {
            let found = members.user_ids.contains(caller).then_some(members);
            return found.ok_or(Error::NotFound("the conversation"));
        }
        let found = self.conversations.for_member(id, caller).await?;
        let members = Members::from(&found.ok_or(Error::NotFound("the conversation"))?.conversation);
        if let Err(error) = self.cache.put(&members).await {
            tracing::warn!(%error, conversation = %id, "members not cached");
        }
        Ok(members)
    }

    async fn cached(&self, id: &ConversationId) -> Option<Members> {
        self.cache.get(id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, conversation = %id, "member cache failed");
            None
        })
    }
}
