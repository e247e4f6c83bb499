//! Who the caller is: passwords, tokens, sessions and the gate that every request passes.

mod gate;
mod hs256;
mod open;
mod password;
mod token;

pub use gate::{Caller, Gate, Rates};
pub use open::{TokenPair, device, open_session};
pub use password::{Password, Passwords};
pub use token::{Claims, TokenKeys, refresh_hash, refresh_text, split_refresh};
