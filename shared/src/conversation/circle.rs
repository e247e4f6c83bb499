//! Who takes part in a conversation: asked for by almost everything that happens in one, settled when it is
//! made, and never changed after. So it may be kept close at hand for any time, and no write has to take it
//! back. What a message changes (the last message, what is unread) is never kept.

use crate::conversation::Conversation;
use crate::error::Error;
use crate::id::{ConversationId, UserId};
use crate::ports::{Cache, Conversations};

/// Everybody in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    /// Which conversation.
    pub id: ConversationId,
    /// Who takes part, sorted.
    pub members: Vec<UserId>,
}

impl From<&Conversation> for Circle {
    fn from(conversation: &Conversation) -> Self {
        Self { id: conversation.id.clone(), members: conversation.member_ids() }
    }
}

/// Finds circles: in the cache, else in the documents.
#[derive(Clone, Copy)]
pub struct Circles<'a> {
    /// The truth.
    pub conversations: &'a dyn Conversations,
    /// What was found before.
    pub cache: &'a dyn Cache,
}

impl Circles<'_> {
    /// The circle of a conversation that `caller` takes part in.
    ///
    /// # Errors
    /// `NotFound` for everybody else. A cache that fails is no error: the documents are asked then.
    pub async fn of(&self, id: &ConversationId, caller: &UserId) -> Result<Circle, Error> {
        if let Some(circle) = self.kept(id).await {
            let found = circle.members.contains(caller).then_some(circle);
            return found.ok_or(Error::NotFound("the conversation"));
        }
        let listed = self.conversations.for_member(id, caller).await?;
        let circle = Circle::from(&listed.ok_or(Error::NotFound("the conversation"))?.conversation);
        if let Err(error) = self.cache.keep(&circle).await {
            tracing::warn!(error = %error, "a conversation's members could not be kept");
        }
        Ok(circle)
    }

    async fn kept(&self, id: &ConversationId) -> Option<Circle> {
        self.cache.circle(id).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "the cache of conversations' members failed");
            None
        })
    }
}
