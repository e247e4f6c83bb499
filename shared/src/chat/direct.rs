//! The one direct conversation of two users.

use crate::conversation::Conversation;
use crate::error::Error;
use crate::id::{ConversationId, Entropy, UserId};
use crate::ports::{Conversations, Users};
use crate::time::Time;

/// A request for the direct conversation of the caller with another user.
#[derive(Debug, Clone, Copy)]
pub struct DirectRequest<'a> {
    pub caller: &'a UserId,
    pub other: &'a UserId,
    /// The request's field that named `other`; errors name it.
    pub field: &'static str,
    pub now: Time,
    pub entropy: &'a Entropy,
}

/// Finds or creates the pair's one direct conversation; `true` if this call created it.
///
/// # Errors
/// `Invalid` naming the field when `other` is the caller or no active user; `Unavailable`.
pub async fn ensure_direct(
    users: &dyn Users,
    conversations: &dyn Conversations,
    request: DirectRequest<'_>,
) -> Result<(Conversation, bool), Error> {
    let DirectRequest { caller, other, field, now, entropy } = request;
    if caller == other {
        return Err(Error::field(field, "must be another user, not yourself"));
    }
    let found = users.by_ids(std::slice::from_ref(other)).await?;
    if found.iter().all(|user| user.deactivated_at.is_some()) {
        return Err(Error::field(field, "is not a user"));
    }
    let new = Conversation::direct(ConversationId::fresh(now, entropy), caller, other, now);
    Ok(conversations.ensure_direct(&new).await?)
}
