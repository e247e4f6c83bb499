//! `GET /api/user/online/{userId}` — returns whether a user is online and when the user was last seen.

use shared::auth::Gate;
use shared::error::Error;
use shared::id::UserId;
use shared::lambda::http::{Reply, Request};
use shared::ports::{LastSeen, Presence, Users};
use shared::reply_data::PresenceData;

/// Answers 200.
///
/// # Errors
/// `Unauthenticated`; `NotFound` for an unknown user.
pub async fn handle(
    gate: Gate<'_>,
    users: &dyn Users,
    presence: &dyn Presence,
    last_seen: &dyn LastSeen,
    request: Request,
) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    let id = request.path_id("userId", "the user", UserId::parse)?;
    let mut found = users.by_ids(std::slice::from_ref(&id)).await?;
    let user = found.first_mut().ok_or(Error::NotFound("the user"))?;
    let online = !presence.online_of(std::slice::from_ref(&id)).await?.is_empty();
    user.apply_last_seen(&last_seen.times_of(std::slice::from_ref(&id)).await?);
    Reply::ok(PresenceData { user_id: id, online, last_seen_at: user.last_seen_at })
}
