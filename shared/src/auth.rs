//! Authentication: passwords, tokens, sessions, and the gate that every request passes.

mod gate;
mod hs256;
mod open;
mod password;
mod policy;
mod rates;
mod refresh;
mod token;

pub use gate::{Caller, Credentials, Gate};
pub use open::{SessionOpening, TokenPair, open_session};
pub use password::{Password, Passwords};
pub use policy::SessionPolicy;
pub use rates::Rates;
pub use refresh::{Refreshed, refresh};
pub use token::{Claims, TokenKeys, format_refresh_token, hash_refresh_token, parse_refresh_token};
