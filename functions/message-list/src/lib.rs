//! `GET /api/messages/{conversationId}` — returns a page of a conversation's history.

use shared::auth::Gate;
use shared::chat::{HistoryCursor, MemberLookup, history};
use shared::error::Error;
use shared::form::text;
use shared::id::{ConversationId, MessageId};
use shared::lambda::http::{Reply, Request};
use shared::page::PageSize;
use shared::ports::Messages;

/// Answers 200 with messages, oldest first, and the cursors of both neighbours.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` when the caller is no member, or the cursor is no message of this
/// conversation.
pub async fn handle(
    gate: Gate<'_>,
    members: MemberLookup<'_>,
    messages: &dyn Messages,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let name = if request.path.contains_key("id") { "id" } else { "conversationId" };
    let id = request.path_id(name, "the conversation", ConversationId::parse)?;
    let mut query = request.query_form();
    let size = query.optional("limit", PageSize::parse).unwrap_or_default();
    let before = query.optional("before", text(MessageId::parse));
    let after = query.optional("after", text(MessageId::parse));
    if before.is_some() && after.is_some() {
        query.add_error("after", "must be left out when before is given");
    }
    let cursor = before.map(HistoryCursor::Before).or(after.map(HistoryCursor::After));
    let cursor = query.finish(|| Some(cursor.unwrap_or(HistoryCursor::Latest)))?;
    Reply::ok(history(members, messages, &caller.user_id, &id, &cursor, size).await?)
}
