//! Authentication: passwords, tokens, sessions, and the gate that every request passes.

mod current_password;
mod gate;
mod hs256;
mod login_attempt;
mod open;
mod origin;
mod password;
mod password_policy;
mod policy;
mod rates;
mod refresh;
mod security_log;
mod signing_secrets;
mod token;

pub use current_password::confirm_password;
pub use gate::{Caller, Credentials, Gate};
pub use login_attempt::LoginAttempt;
pub use open::{SessionOpening, TokenPair, open_session};
pub use origin::Origin;
pub use password::Passwords;
pub use password_policy::{PASSWORD_LENGTH, Password, PasswordPolicy};
pub use policy::SessionPolicy;
pub use rates::{CONNECT_COST, Rates};
pub use refresh::{Refreshed, refresh};
pub use security_log::{Requester, SecurityEvent, log_security};
pub use token::{Claims, TokenKeys, format_refresh_token, hash_refresh_token, parse_refresh_token};
