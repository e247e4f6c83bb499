//! `POST /api/messages/send` — stores a message once and announces it to all members.

use shared::auth::Gate;
use shared::chat::{ChatPorts, Sender, send};
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};
use shared::message::SendRequest;
use shared::reply_data::MessageData;

/// Answers 201 with the message; 200 with the first message when its `clientMessageId` was used before.
///
/// # Errors
/// `Unauthenticated`, `Invalid`, `RateLimited`; `NotFound` for a conversation that the caller is no member of;
/// `Conflict` when the key was used for another message.
pub async fn handle(gate: Gate<'_>, chat: ChatPorts<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    gate.take(
        "send",
        caller.user_id.as_str(),
        gate.rates.send_by_user,
        request.requester().of_user(&caller.user_id),
    )
    .await?;
    let path_conversation = match request.path.contains_key("id") {
        true => Some(request.path_id("id", "the conversation", ConversationId::parse)?),
        false => None,
    };
    let message = SendRequest::read(request.form()?, path_conversation)?;
    let sender = Sender { user_id: &caller.user_id, via: None, now: request.now, entropy: &request.entropy };
    let sent = send(&chat, sender, message).await?;
    let data = MessageData { message: sent.message };
    if sent.created { Reply::created(data) } else { Reply::ok(data) }
}
