//! `PATCH /api/messages/{messageId}` — replaces the content of a message of the caller's own.

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::form::text;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};
use shared::message::Content;
use shared::message::change::edit;
use shared::message::send::Chat;

/// Answers 200 with the message as it is now.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` for strangers; `Forbidden` for other members.
pub async fn handle(gate: Gate<'_>, chat: Chat<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let mut form = request.form()?;
    let content = form.required("content", text(Content::parse));
    let content = form.finish(|| content)?;
    let message = edit(&chat, &caller.user_id, None, &id, &content, request.now).await?;
    Reply::ok(json!({ "message": message }))
}
