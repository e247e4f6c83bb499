//! `GET /api/conversations/{id}` — returns one of the caller's conversations.

use shared::auth::Gate;
use shared::conversation::ConversationView;
use shared::error::Error;
use shared::id::ConversationId;
use shared::lambda::http::{Reply, Request};
use shared::ports::{Conversations, Users};
use shared::reply_data::ConversationData;
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
    let caller = gate.admit(request.credentials()).await?;
    let id = request.path_id("id", "the conversation", ConversationId::parse)?;
    let found = conversations.for_member(&id, &caller.user_id).await?;
    let found = found.ok_or(Error::NotFound("the conversation"))?;
    let participants = users.by_ids(&found.conversation.member_ids()).await?;
    let participants: Vec<PublicUser> = participants.iter().map(PublicUser::from).collect();
    Reply::ok(ConversationData { conversation: ConversationView::of(found, &participants) })
}
