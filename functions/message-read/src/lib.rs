//! `PUT /api/messages/{messageId}/read` — marks everything up to a message as read.

use shared::auth::Gate;
use shared::chat::{ReadPorts, mark_read, visible_message};
use shared::error::Error;
use shared::id::MessageId;
use shared::lambda::http::{Reply, Request};

/// Answers 200 with how far the caller has read.
///
/// # Errors
/// `Unauthenticated`; `NotFound` for messages of conversations that the caller is no member of.
pub async fn handle(gate: Gate<'_>, ports: ReadPorts<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("messageId", "the message", MessageId::parse)?;
    let (message, found) = visible_message(&ports, &caller.user_id, &id).await?;
    Reply::ok(mark_read(&ports, &caller.user_id, None, &found, message.seq, request.now).await?)
}
