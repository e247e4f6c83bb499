//! `GET /api/messages/{conversationId}` — a page of a conversation's history.

use shared::auth::Gate;
use shared::conversation::Circles;
use shared::error::Error;
use shared::form::text;
use shared::id::{ConversationId, MessageId};
use shared::lambda::http::{Reply, Request};
use shared::message::read::{Place, history};
use shared::page::Limit;
use shared::ports::Messages;

/// Answers 200 with messages, oldest first, and the cursors of both neighbours.
///
/// # Errors
/// `Unauthenticated`, `Invalid`; `NotFound` when the caller is not a member or a cursor is no message here.
pub async fn handle(
    gate: Gate<'_>,
    circles: Circles<'_>,
    messages: &dyn Messages,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let name = if request.path.contains_key("id") { "id" } else { "conversationId" };
    let id = request.path_id(name, "the conversation", ConversationId::parse)?;
    let mut query = request.query_form();
    let limit = query.optional("limit", Limit::parse).unwrap_or_default();
    let before = query.optional("before", text(MessageId::parse));
    let after = query.optional("after", text(MessageId::parse));
    if before.is_some() && after.is_some() {
        query.wrong("after", "give before or after, not both");
    }
    let place = query
        .finish(|| Some(before.map(Place::Before).or(after.map(Place::After)).unwrap_or(Place::Latest)))?;
    Reply::ok(history(circles, messages, &caller.user_id, &id, &place, limit).await?)
}
