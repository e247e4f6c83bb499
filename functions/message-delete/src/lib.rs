//! `DELETE /api/messages/{messageId}` — deletes one of the caller's own messages: empties its content and keeps its
//! seq.

use shared::auth::Gate;
use shared::chat::{ChangePorts, delete};
use shared::error::Error;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};
use shared::reply_data::MessageData;

/// Answers 200 with the emptied message.
///
/// # Errors
/// `Unauthenticated`; `NotFound` for non-members; `Forbidden` for other members.
pub async fn handle(gate: Gate<'_>, ports: ChangePorts<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let message = delete(&ports, &caller.user_id, None, &id, request.now).await?;
    Reply::ok(MessageData { message })
}
