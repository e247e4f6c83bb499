//! `GET /api/conversations` — lists the caller's conversations, newest activity first.

use std::collections::BTreeSet;

use shared::auth::Gate;
use shared::conversation::{ActivityCursor, ConversationView, MemberConversation};
use shared::error::Error;
use shared::form::text;
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::page::{Page, PageSize};
use shared::ports::{Conversations, Users};
use shared::reply_data::ConversationsData;
use shared::user::PublicUser;

/// Answers 200 with a page. It costs two store queries, whatever the page size.
///
/// # Errors
/// `Unauthenticated`, `Invalid`.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    conversations: &dyn Conversations,
    request: Request,
) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let mut query = request.query_form();
    let size = query.optional("limit", PageSize::parse).unwrap_or_default();
    let cursor = query.optional("cursor", text(ActivityCursor::parse));
    let cursor = query.finish(|| Some(cursor))?;
    let rows = conversations.list(&caller.user_id, cursor.as_ref(), size.plus_one()).await?;
    let page = Page::cut(rows, size, cursor_of);
    let ids: BTreeSet<UserId> = page.rows.iter().flat_map(|row| row.conversation.member_ids()).collect();
    let ids: Vec<UserId> = ids.into_iter().collect();
    let participants: Vec<PublicUser> = users.by_ids(&ids).await?.iter().map(PublicUser::from).collect();
    let page = page.map(|row| ConversationView::of(row, &participants));
    Reply::ok(ConversationsData { conversations: page.rows, next_cursor: page.next })
}

fn cursor_of(row: &MemberConversation) -> String {
    let MemberConversation { conversation, .. } = row;
    ActivityCursor { updated_at: conversation.updated_at, id: conversation.id.clone() }.text()
}
