//! `GET /api/user/online` — lists the ids of all online users.

use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Presence;
use shared::reply_data::OnlineUsersData;

/// Answers 200 with the number and the ids.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(gate: Gate<'_>, presence: &dyn Presence, request: Request) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    let user_ids = presence.online().await?;
    Reply::ok(OnlineUsersData { count: user_ids.len(), user_ids })
}
