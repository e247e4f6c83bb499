//! `GET /api/user/online` — everybody who is online.

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
    gate.admit(&request).await?;
    let user_ids = presence.online().await?;
    Reply::ok(json!({ "count": user_ids.len(), "userIds": user_ids }))
}
