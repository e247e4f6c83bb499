//! `GET /api/auth/me` — returns the caller's own user, with e-mail.

use shared::auth::Gate;
use shared::error::{Error, Unauthenticated};
use shared::lambda::http::{Reply, Request};
use shared::ports::Users;
use shared::reply_data::UserData;

/// Answers 200 with the user.
///
/// # Errors
/// `Unauthenticated`, also when the account no longer exists.
pub async fn handle(gate: Gate<'_>, users: &dyn Users, request: Request) -> Result<Reply, Error> {
    let caller = gate.admit(request.credentials()).await?;
    let found = users.by_ids(&[caller.user_id]).await?;
    let user = found
        .iter()
        .find(|user| user.deactivated_at.is_none())
        .ok_or(Error::Unauthenticated(Unauthenticated::Revoked))?;
    Reply::ok(UserData { user: user.into() })
}
