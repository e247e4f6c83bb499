//! `DELETE /api/messages/{messageId}` — empties a message of the caller's own; its place stays.

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};
use shared::message::change::delete;
use shared::message::send::Chat;

/// Answers 200 with what is left of the message.
///
/// # Errors
/// `Unauthenticated`; `NotFound` for strangers; `Forbidden` for other members.
pub async fn handle(gate: Gate<'_>, chat: Chat<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let message = delete(&chat, &caller.user_id, None, &id, request.now).await?;
    Reply::ok(json!({ "message": message }))
}
