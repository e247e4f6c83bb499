//! `PUT /api/conversations/{id}/read` — marks everything in a conversation as read.

use shared::auth::Gate;
use shared::chat::{ReadPorts, mark_read};
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};

/// Answers 200 with how far the caller has read.
///
/// # Errors
/// `Unauthenticated`; `NotFound` when the caller is not a member.
pub async fn handle(gate: Gate<'_>, ports: ReadPorts<'_>, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("id", "the conversation", ConversationId::parse)?;
    let found = ports.conversations.for_member(&id, &caller.user_id).await?;
    let found = found.ok_or(Error::NotFound("the conversation"))?;
    let newest = found.conversation.last_seq;
    Reply::ok(mark_read(&ports, &caller.user_id, None, &found, newest, request.now).await?)
}
