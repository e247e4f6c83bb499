//! `GET /api/user/online` — lists the ids of all online users.

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Presence;

/// Answers 200 with the number and the ids.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(gate: Gate<'_>, presence: &dyn Presence, request: Request) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    let user_ids = presence.online().await?;
    Reply::ok(json!({ "count": user_ids.len(), "userIds": user_ids }))
}
