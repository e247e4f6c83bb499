//! `GET /api/user/online/count` — counts the online users.

use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Presence;
use shared::reply_data::OnlineCountData;

/// Answers 200 with the number.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(gate: Gate<'_>, presence: &dyn Presence, request: Request) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    Reply::ok(OnlineCountData { count: presence.count().await? })
}
