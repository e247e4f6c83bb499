//! `PUT /api/conversations/{id}/read` — marks everything in a conversation as read.

use shared::auth::Gate;
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};
use shared::message::read::{mark_read, membership};
use shared::message::send::Chat;

/// Answers 200 with how far the caller has read.
///
/// # Errors
/// `Unauthenticated`; `NotFound` when the caller is not a member.
pub async fn handle(gate: Gate<'_>, chat: Chat<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let id = request.path_id("id", "the conversation", ConversationId::parse)?;
    let listed = membership(chat.conversations, &id, &caller.user_id).await?;
    let newest = listed.conversation.last_seq;
    Reply::ok(mark_read(&chat, &caller.user_id, None, &listed, newest, request.now).await?)
}
