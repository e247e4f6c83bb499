//! `GET /api/user/online/count` — counts the online users.

use serde_json::json;
use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Presence;

/// Answers 200 with the number.
///
/// # Errors
/// `Unauthenticated`.
pub async fn handle(gate: Gate<'_>, presence: &dyn Presence, request: Request) -> Result<Reply, Error> {
    gate.admit(request.credentials()).await?;
    Reply::ok(json!({ "count": presence.count().await? }))
}
