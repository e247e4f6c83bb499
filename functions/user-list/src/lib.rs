//! `GET /api/user/list` — lists users by username, with their online status.

use shared::auth::Gate;
use shared::error::Error;
use shared::form::text;
use shared::lambda::http::{Reply, Request};
use shared::page::{Page, PageSize};
use shared::ports::{LastSeen, Presence, Users};
use shared::reply_data::{ListedUser, UsersData};
use shared::search::fold;
use shared::user::{LONGEST_USER_SEARCH, PublicUser, User};

/// Answers 200 with a page of users. With `search`, the username or a word of the display name begins with it.
///
/// # Errors
/// `Unauthenticated`, `Invalid`.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    presence: &dyn Presence,
    last_seen: &dyn LastSeen,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    let mut query = request.query_form();
    let search = query.optional("search", text(|search| short(search).map(|search| fold(search.trim()))));
    let size = query.optional("limit", PageSize::parse).unwrap_or_default();
    let cursor = query.optional("cursor", text(short));
    let (search, cursor) = query.finish(|| Some((search, cursor)))?;
    let search = search.filter(|search| !search.is_empty());
    let rows = users.list(search.as_deref(), cursor.as_deref(), size.plus_one()).await?;
    let page = Page::cut(rows, size, |user: &User| user.username.key());
    let ids: Vec<_> = page.rows.iter().map(|user| user.id.clone()).collect();
    let online = presence.online_of(&ids).await?;
    let times = last_seen.times_of(&ids).await?;
    let page = page.map(|mut user| {
        user.apply_last_seen(&times);
        ListedUser { online: online.contains(&user.id), user: PublicUser::from(&user) }
    });
    Reply::ok(UsersData { users: page.rows, next_cursor: page.next })
}

fn short(text: &str) -> Result<String, String> {
    match text.chars().nth(LONGEST_USER_SEARCH) {
        None => Ok(text.to_owned()),
        Some(_) => Err(format!("must be at most {LONGEST_USER_SEARCH} characters")),
    }
}
