//! `POST /api/messages/send` — stores a message once and tells everybody whom it concerns.

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};
use shared::message::send::{Chat, Outgoing, Sender, send};

/// Answers 201 with the message; 200 with the first one when its `clientMessageId` was used before.
///
/// # Errors
/// `Unauthenticated`, `Invalid`, `RateLimited`; `NotFound` for a conversation that the caller is not in;
/// `Conflict` when the key was used for another message.
pub async fn handle(gate: Gate<'_>, chat: Chat<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    gate.take("send", caller.user_id.as_str(), gate.rates.send_by_user, request.now).await?;
    let fixed = match request.path.contains_key("id") {
        true => Some(request.path_id("id", "the conversation", ConversationId::parse)?),
        false => None,
    };
    let outgoing = Outgoing::read(request.form()?, fixed)?;
    let sender = Sender { user_id: &caller.user_id, via: None, now: request.now, entropy: &request.entropy };
    let sent = send(&chat, sender, outgoing).await?;
    let data = json!({ "message": sent.message });
    if sent.fresh { Reply::created(data) } else { Reply::ok(data) }
}
