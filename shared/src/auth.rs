//! Authentication: passwords, tokens, sessions, and the gate that every request passes.

mod gate;
mod hs256;
mod open;
mod origin;
mod password;
mod rates;
mod token;

pub use gate::{Caller, Credentials, Gate};
pub use open::{SessionOpening, TokenPair, open_session};
pub use origin::Origin;
pub use password::{PASSWORD_LENGTH, Password, Passwords};
pub use rates::{CONNECT_COST, Rates};
pub use token::{Claims, TokenKeys, format_refresh_token, hash_refresh_token, parse_refresh_token};
