//! `GET /api/messages/unread-count` — counts the caller's unread messages, in total and by conversation.

use serde_json::{Map, Value, json};
use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Conversations;

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
    let total: u64 = unread.iter().map(|(_, count)| count).sum();
    let by_conversation: Map<String, Value> =
        unread.into_iter().map(|(id, count)| (id.to_string(), Value::from(count))).collect();
    Reply::ok(json!({ "total": total, "byConversation": by_conversation }))
}
