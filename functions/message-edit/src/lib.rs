//! `PATCH /api/messages/{messageId}` — replaces the content of one of the caller's own messages.

use shared::auth::Gate;
use shared::chat::{ChangePorts, edit};
use shared::error::Error;
use shared::form::text;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};
use shared::message::Content;
use shared::reply_data::MessageData;

/// Answers 200 with the edited message.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` for non-members; `Forbidden` for other members.
pub async fn handle(gate: Gate<'_>, ports: ChangePorts<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let mut form = request.form()?;
    let content = form.required("content", text(Content::parse));
    let content = form.finish(|| content)?;
    let message = edit(&ports, &caller.user_id, None, &id, &content, request.now).await?;
    Reply::ok(MessageData { message })
}
