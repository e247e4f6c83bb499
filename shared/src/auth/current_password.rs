//! The check of the current password, which some changes of an account ask for.

use super::gate::Gate;
use super::password::Passwords;
use super::password_policy::Password;
use super::security_log::{Requester, SecurityEvent, log_security};
use crate::error::Error;
use crate::user::User;

/// Checks the current password of `user`. Only wrong ones count toward the limit. A stored password that equals `new` is
/// accepted too: the request then repeats one that failed after it had changed the password.
///
/// # Errors
/// `Invalid` naming `currentPassword`; `RateLimited` by wrong passwords; `Unavailable`.
pub async fn confirm_password(
    gate: Gate<'_>,
    passwords: &Passwords,
    user: &User,
    requester: Requester<'_>,
    current: Password,
    new: Option<&Password>,
) -> Result<(), Error> {
    let (subject, limit) = (user.id.as_str(), gate.rates.password_by_user);
    gate.take("password", subject, limit, requester).await?;
    let hash = Some(&user.password_hash);
    let is_current = passwords.matches(current, hash).await?;
    let is_repeat = match new {
        Some(new) if !is_current => passwords.matches(new.clone(), hash).await?,
        _ => false,
    };
    if !is_current && !is_repeat {
        log_security(SecurityEvent::PasswordRefused, requester);
        return Err(Error::field("currentPassword", "is wrong"));
    }
    gate.give_back("password", subject, limit, requester).await;
    Ok(())
}
