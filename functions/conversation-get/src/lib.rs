//! `GET /api/conversations/{id}` — one conversation of the caller's.

use serde_json::json;
use shared::auth::Gate;
use shared::conversation::ConversationView;
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};
use shared::message::read::membership;
use shared::ports::{Conversations, Users};
use shared::user::PublicUser;

/// Answers 200 with the conversation.
///
/// # Errors
/// `Unauthenticated`; `NotFound` when the caller is not a member.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    conversations: &dyn Conversations,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(&request).await?;
    let id = request.path_id("id", "the conversation", ConversationId::parse)?;
    let listed = membership(conversations, &id, &caller.user_id).await?;
    let found = users.by_ids(&listed.conversation.member_ids()).await?;
    let people: Vec<PublicUser> = found.iter().map(PublicUser::from).collect();
    Reply::ok(json!({ "conversation": ConversationView::of(listed, &people) }))
}
