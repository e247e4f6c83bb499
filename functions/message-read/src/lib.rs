//! `PUT /api/messages/{messageId}/read` — marks everything up to a message as read.

use shared::auth::Gate;
use shared::error::Error;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};
use shared::message::read::{mark_read, visible};
use shared::message::send::Chat;

/// Answers 200 with how far the caller has read.
///
/// # Errors
/// `Unauthenticated`; `NotFound` for messages of conversations that the caller is not in.
pub async fn handle(gate: Gate<'_>, chat: Chat<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let (message, listed) = visible(&chat, &caller.user_id, &id).await?;
    Reply::ok(mark_read(&chat, &caller.user_id, None, &listed, message.seq, request.now).await?)
}
