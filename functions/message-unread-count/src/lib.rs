//! `GET /api/messages/unread-count` — counts the caller's unread messages, in total and by conversation.

use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Conversations;
use shared::reply_data::UnreadData;

/// Answers 200; conversations without unread messages are left out.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(
    gate: Gate<'_>,
    conversations: &dyn Conversations,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let unread = conversations.unread(&caller.user_id).await?;
    let total = unread.iter().map(|(_, count)| count).sum();
    Reply::ok(UnreadData { total, by_conversation: unread.into_iter().collect() })
}
